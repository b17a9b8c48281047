import { formatMs } from './milliseconds.ts'
import type { ServiceReport, ShutdownReport } from './shutdown-report.ts'
import type { StartReport, StartServiceReport } from './start-report.ts'
import { errorText, headline, placeOf, rowsOf, shorten } from './rows.ts'

export interface FormatOptions {
  /** How many columns a line may have; fewer than 60 count as 60. @default 100 */
  width?: number
  /** Whether the text has ANSI colours. @default false */
  colour?: boolean
}

const NARROWEST = 60
const SHORTEST_BAR = 10
const LONGEST_NAME = 40

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'
const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
}
type Paint = (text: string, style: Style | undefined) => string

type Reported = ServiceReport | StartServiceReport

const OUTCOME_STYLES: Readonly<Record<Reported['outcome'], Style>> = {
  clean: 'green',
  running: 'green',
  failed: 'red',
  stopped: 'dim',
  'timed-out': 'red',
  terminated: 'red',
  crashed: 'red',
  'not-started': 'dim',
}

/**
 * Draws the report of a shutdown or a start as a waterfall: a line for each service with where it lived, how it went,
 * how long it took and when; below it the steps that took time, and its errors. Without a newline at the end.
 */
export function formatReport(
  report: ShutdownReport | StartReport,
  { width = 100, colour = false }: FormatOptions = {},
): string {
  const paint: Paint = (text, style) => {
    if (!colour || style === undefined || text === '') return text
    const [on, off] = CODES[style]
    return `\u001B[${on}m${text}\u001B[${off}m`
  }
  const columns = Math.max(Math.floor(width), NARROWEST)
  const rows = rowsOf<Reported>(report.services)
  const table = rows.map(({ service, depth, name }) => ({
    name: shorten('  '.repeat(depth) + name, LONGEST_NAME),
    place: placeOf(service),
    outcome: service.outcome,
    total: service.totalMs === undefined ? '' : formatMs(service.totalMs),
  }))
  const widths = {
    name: widest(table.map((cells) => cells.name)),
    place: widest(table.map((cells) => cells.place)),
    outcome: widest(table.map((cells) => cells.outcome)),
    total: widest(table.map((cells) => cells.total)),
  }
  const taken = widths.name + widths.place + widths.outcome + widths.total + 8
  const barLength = Math.max(columns - taken, SHORTEST_BAR)

  const lines = [paint(headline(report), 'bold')]
  rows.forEach(({ service, depth }, index) => {
    const { name, place, outcome, total } = table[index]!
    const style = OUTCOME_STYLES[service.outcome]
    const cells = [
      pad(name, widths.name),
      paint(place.padEnd(widths.place), 'dim'),
      paint(outcome.padEnd(widths.outcome), style),
      total.padStart(widths.total),
      paint(bar(service, report.totalMs, barLength), style === 'green' ? undefined : style),
    ]
    lines.push(cells.join('  ').trimEnd())
    const indent = '  '.repeat(Math.min(depth, 10) + 2)
    for (const line of wrap(phasesOf(service), columns - indent.length))
      lines.push(indent + paint(line, 'dim'))
    for (const error of 'errors' in service ? service.errors : []) {
      for (const line of wrap(errorText(error), columns - indent.length))
        lines.push(indent + paint(line, 'red'))
    }
  })
  return lines.join('\n')
}

/** Where its stop lies within the shutdown. */
function bar({ startedAtMs, totalMs }: Reported, whole: number, length: number): string {
  if (startedAtMs === undefined || totalMs === undefined) return ''
  if (startedAtMs + totalMs < 0) return 'was down before'
  const cellAt = (ms: number): number => (ms * length) / Math.max(whole, 0.1)
  // Beginnings are known to the millisecond only: a short stop must not seem to last longer than the whole.
  const began = Math.max(Math.min(startedAtMs, whole - totalMs), 0)
  const from = Math.min(Math.floor(cellAt(began)), length - 1)
  const to = Math.min(Math.max(Math.ceil(cellAt(began + totalMs)), from + 1), length)
  return ' '.repeat(from) + '█'.repeat(to - from)
}

function phasesOf({ phases, outcome }: Reported): string {
  if (outcome === 'not-started') return ''
  const took = Object.entries(phases).filter(([, ms]) => ms > 0)
  if (took.length === 0) return 'no phase took 0.1 ms'
  return took.map(([phase, ms]) => `${phase} ${formatMs(ms)}`).join(' · ')
}

function pad(text: string, length: number): string {
  return text + ' '.repeat(Math.max(length - lengthOf(text), 0))
}

/** In code points. */
function lengthOf(text: string): number {
  return Array.from(text).length
}

function widest(texts: readonly string[]): number {
  return texts.reduce((longest, text) => Math.max(longest, lengthOf(text)), 0)
}

function wrap(text: string, width: number): string[] {
  if (text === '') return []
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
