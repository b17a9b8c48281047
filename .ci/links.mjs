// The links of Markdown files, and where they lead. Used by test/docs on the documents as they are here, and by
// `problemsOfLinks` in consumer.mjs on those that a package holds.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/**
 * The text without its code blocks, whose lines are left empty.
 * @param {string} markdown
 */
export function withoutBlocks(markdown) {
  let inBlock = false
  return markdown
    .split('\n')
    .map((line) => {
      const isFence = line.startsWith('```')
      if (isFence) inBlock = !inBlock
      return isFence || inBlock ? '' : line
    })
    .join('\n')
}

/**
 * What a link to each heading of a file has after its `#`, as GitHub makes it.
 * @param {string} markdown
 */
export function anchorsOf(markdown) {
  /** @type {Set<string>} */
  const anchors = new Set()
  for (const [, heading = ''] of withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-')
    let unique = anchor
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`
    anchors.add(unique)
  }
  return anchors
}

/**
 * The targets of its links and pictures.
 * @param {string} markdown
 */
export function linksOf(markdown) {
  const prose = withoutBlocks(markdown).replaceAll(/`[^`]*`/g, '')
  return Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
}

/**
 * The links of Markdown files that lead nowhere.
 * @param {string} root
 * @param {readonly string[]} paths of the files, from `root`
 * @returns {string[]}
 */
export function problemsOfLinks(root, paths) {
  /** @type {string[]} */
  const problems = []
  for (const path of paths) {
    const markdown = readFileSync(join(root, path), 'utf8')
    for (const link of linksOf(markdown)) {
      if (/^https?:/.test(link)) continue
      const [target = '', anchor] = link.split('#', 2)
      const file = target === '' ? join(root, path) : join(root, dirname(path), target)
      const within = relative(root, file).replaceAll('\\', '/')
      const isKnown = !within.startsWith('..') && existsSync(file)
      if (!isKnown) problems.push(`${path}: there is no ${link}`)
      else if (anchor !== undefined && !hasAnchor(file, anchor))
        problems.push(`${path}: no heading is ${link}`)
    }
  }
  return problems
}

/** @type {(file: string, anchor: string) => boolean} */
function hasAnchor(file, anchor) {
  return statSync(file).isFile() && anchorsOf(readFileSync(file, 'utf8')).has(anchor)
}
