// bench/RESULTS.md: a section for each major version of Node, each written by a run on that version.
import type { Row } from './harness.ts'
import { formatTable, score } from './table.ts'

const HEADER = `# Results of the benches

Written by \`npm run bench\`, which replaces the section of the Node it runs on and leaves the others.

Each row holds what was measured against a floor: the same work by hand, or with a bare \`Worker\`, in the same run and in turns with it. The ratio is the median over all rounds of what was measured, divided by the floor of the same round, with its quartiles in brackets. It means the same on every machine; the other figures do not. Where there is no floor, the target is of the figure itself.

To reproduce: \`npm run bench\` for everything, \`npm run bench -- calls\` for the rows of one file in \`bench\`, and \`npm run bench -- peers\` once, to install what other libraries are compared with.
`

export interface Outcome {
  readonly rows: readonly Row[]
  /** What a reader has to know, besides. */
  readonly notes: readonly string[]
}

export interface Run extends Outcome {
  /** In words, with the version of Node. */
  readonly machine: string
  /** Nothing where the peers are not installed. */
  readonly peers?: Outcome | undefined
}

const heading = (major: number): string => `## Node ${major}`

/** The document after a run on this major version, with the sections that other versions have in it. */
export function withRun(document: string, major: number, run: Run): string {
  const sections = sectionsOf(document)
  sections.set(major, formatSection(major, run))
  const inOrder = [...sections].sort(([a], [b]) => a - b).map(([, section]) => section)
  return `${[HEADER.trim(), ...inOrder].join('\n\n')}\n`
}

/** By major version. What stands before the first is the header, which is written anew. */
function sectionsOf(document: string): Map<number, string> {
  const sections = new Map<number, string>()
  for (const part of document.split(/^(?=## )/m)) {
    const major = /^## Node (\d+)$/m.exec(part)?.[1]
    if (major !== undefined) sections.set(Number(major), part.trim())
  }
  return sections
}

function formatSection(major: number, { machine, peers, ...outcome }: Run): string {
  const parts = [heading(major), `${machine}.`, formatOutcome(outcome)]
  if (peers) parts.push('### Other libraries', formatOutcome(peers))
  return parts.join('\n\n')
}

/** The table, and below it what there is to say. */
export function formatOutcome({ rows, notes }: Outcome): string {
  const lines = rows.some(({ target }) => target) ? [...notes, score(rows)] : notes
  return [formatTable(rows), ...lines].join('\n\n')
}
