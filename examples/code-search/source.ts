import { readFileSync } from 'node:fs'
import { findsPrefix } from './text-index.ts'
import { tokenize } from './tokenize.ts'

export interface Line {
  readonly line: number
  readonly text: string
  /** Start and end of each match, in order, without overlaps. */
  readonly marks: [start: number, end: number][]
}

export type SkipReason = 'binary' | 'unreadable' | 'tooLarge'

const MAX_SIZE = 2 ** 20
const LONG_LINE = /^.{501,}$/gm

/**
 * Any text is source, whatever its name: what one looks for is also in Makefiles and notes. Lines that nobody
 * wrote by hand (minified code, source maps, data) are blanked, which keeps the line numbers.
 */
export function readSource(path: string, size = 0): { text: string } | { skipped: SkipReason } {
  if (size > MAX_SIZE) return { skipped: 'tooLarge' }
  try {
    const content = readFileSync(path)
    if (content.subarray(0, 8192).includes(0)) return { skipped: 'binary' }
    return { text: content.toString().replace(LONG_LINE, '') }
  } catch {
    return { skipped: 'unreadable' }
  }
}

/** The first of the lines that match most of the terms. */
export function bestLine(source: string, wanted: readonly string[]): Line | undefined {
  let best: Line | undefined
  let bestWeight = 0
  for (const [index, line] of source.split('\n').entries()) {
    const lower = line.toLowerCase()
    if (!wanted.some((term) => lower.includes(term))) continue
    const text = line.trim()
    const { weight, marks } = match(text, wanted)
    if (weight > bestWeight) best = { line: index + 1, text, marks }
    bestWeight = Math.max(weight, bestWeight)
  }
  return best
}

// The beginning of a word weighs half of the whole one, and a term counts once a line.
function match(text: string, wanted: readonly string[]): { weight: number; marks: Line['marks'] } {
  const weights = new Map<string, number>()
  const marks: Line['marks'] = []
  for (const { term: found, start } of tokenize(text)) {
    for (const term of wanted) {
      if (found !== term && !(findsPrefix(term) && found.startsWith(term))) continue
      weights.set(term, Math.max(weights.get(term) ?? 0, found === term ? 2 * term.length : term.length))
      const end = start + term.length
      const last = marks.at(-1)
      if (last && start <= last[1]) last[1] = Math.max(last[1], end)
      else marks.push([start, end])
    }
  }
  return { weight: [...weights.values()].reduce((sum, weight) => sum + weight, 0), marks }
}
