import { type Location, isElsewhere, PLACE } from '../wire/facts.ts'
import { describe } from '../errors/describe.ts'
import type { Beacon, BeaconData } from './beacon.ts'

const LONGEST_REASON = 60

/** A line for each beacon: `├─ hasher (running, thread 3, 2 restarts)`. Without a newline at the end. */
export function toTree(root: Beacon): string {
  const lines: string[] = []
  const rest: { beacon: Beacon; branch: string; indent: string }[] = [
    { beacon: root, branch: '', indent: '' },
  ]
  for (let next = rest.pop(); next; next = rest.pop()) {
    const { beacon, branch, indent } = next
    const { status, reason } = summary(beacon.data)
    lines.push(`${branch}${oneLine(beacon.name)} (${status})${reason && `: ${reason}`}`)
    const children = beacon.children
    // Backwards: the stack gives the last one first.
    for (let index = children.length - 1; index >= 0; index--) {
      const last = index === children.length - 1
      rest.push({
        beacon: children[index]!,
        branch: `${indent}${last ? '└─ ' : '├─ '}`,
        indent: `${indent}${last ? '   ' : '│  '}`,
      })
    }
  }
  return lines.join('\n')
}

/** A Mermaid flowchart, top down. Isolated services have a double border, crashed ones are red. */
export function toMermaid(root: Beacon): string {
  const { nodes, edges } = graph(root)
  const lines = nodes.map((beacon, index) => {
    const text = `"${textLines(beacon).map(escapeMermaid).join('<br/>')}"`
    const shape = isPlaced(beacon.data) ? `[[${text}]]` : `[${text}]`
    return `  n${index}${shape}${isCrashed(beacon.data) ? ':::crashed' : ''}`
  })
  for (const [from, to] of edges) lines.push(`  n${from} --> n${to}`)
  if (nodes.some(({ data }) => isCrashed(data))) {
    lines.push('  classDef crashed fill:#fdd,stroke:#c00,color:#600')
  }
  return ['flowchart TD', ...lines].join('\n')
}

/** A Graphviz digraph. Isolated services have a double border, crashed ones are red. */
export function toDot(root: Beacon): string {
  const { nodes, edges } = graph(root)
  const lines = nodes.map((beacon, index) => {
    const attributes = [`label="${textLines(beacon).map(escapeDot).join('\\n')}"`]
    if (isPlaced(beacon.data)) attributes.push('peripheries=2')
    if (isCrashed(beacon.data)) attributes.push('color="#cc0000"', 'fontcolor="#cc0000"')
    return `  n${index} [${attributes.join(', ')}]`
  })
  for (const [from, to] of edges) lines.push(`  n${from} -> n${to}`)
  return ['digraph services {', '  node [shape=box]', ...lines, '}'].join('\n')
}

function graph(root: Beacon): { nodes: readonly Beacon[]; edges: readonly (readonly [number, number])[] } {
  const nodes = [...root.traverse()]
  const numbers = new Map(nodes.map((beacon, index) => [beacon, index]))
  const edges = nodes.slice(1).map((beacon, index) => [numbers.get(beacon.parent!)!, index + 1] as const)
  return { nodes, edges }
}

function textLines(beacon: Beacon): string[] {
  const { status, reason } = summary(beacon.data)
  return [...beacon.name.split(/\r\n|[\r\n]/).map(oneLine), status, reason].filter((line) => line !== '')
}

function summary(data: BeaconData): { status: string; reason: string } {
  const parts = [data.state]
  const { location } = data[PLACE] ?? {}
  if (location) parts.push(textOf(location))
  else if (isPlaced(data)) parts.push('isolated')
  const restarts = data.restartCount ?? 0
  if (restarts > 0) parts.push(`${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`)
  const known = isCrashed(data) && data.crashReason !== undefined
  return { status: parts.join(', '), reason: known ? shorten(oneLine(describe(data.crashReason))) : '' }
}

function isCrashed(data: BeaconData): boolean {
  return data.state === 'crashed'
}

// Control characters go too: a reason may come from outside, and the tree is printed to a terminal.
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
}

function shorten(text: string): string {
  if (text.length <= LONGEST_REASON) return text
  const kept = text.slice(0, LONGEST_REASON - 1)
  // Not between the halves of a surrogate pair.
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}

// '#' begins an entity, '%%' a directive, a backtick a markdown string, '\n' a line break: also within quotes.
function escapeMermaid(text: string): string {
  return text.replace(/["#%&<>`\\]/g, (character) =>
    character === '"' ? '#quot;' : `#${character.codePointAt(0)};`,
  )
}

function escapeDot(text: string): string {
  return text.replace(/["\\]/g, '\\$&')
}

/** Whether it is a root in a place other than that of its parent. */
function isPlaced(data: BeaconData): boolean {
  return isElsewhere(data[PLACE]?.kind)
}

function textOf(location: Location): string {
  switch (location.kind) {
    case 'process':
      return `process ${location.pid}`
    case 'remote':
      return location.address
    default:
      return `thread ${location.threadId}`
  }
}
