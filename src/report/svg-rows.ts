import { formatMs } from './milliseconds.ts'
import type { ServiceReport } from './shutdown-report.ts'
import { placeOf } from './rows.ts'
import { PHASE_STYLES } from './svg-style.ts'
import { box, escaped, fitted, px, textAt } from './svg-text.ts'
import type { PathPhase, Span, TimedRow } from './timeline.ts'

export const WIDTH = 1200
export const MARGIN = 24
export const SIZE = 12
export const ROW = 24
export const GAP = 14
const BAR = 12
const THIN_BAR = 4
const INDENT = 14
const DEEPEST = 10
/** Of what took no time to speak of. */
const THINNEST = 1.5

/** Where things are, in pixels. */
export interface Plan {
  readonly name: number
  readonly place: number
  readonly outcome: number
  /** Its right edge. */
  readonly total: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  /** What the right edge stands for, in milliseconds. */
  readonly endMs: number
}

interface RowFrame {
  readonly plan: Plan
  readonly xOf: (ms: number) => number
  readonly y: number
}

export function drawRow(row: TimedRow, { plan, xOf, y }: RowFrame): string[] {
  const { service, depth, name } = row
  const base = y + ROW / 2 + 4
  const indent = indentOf(depth)
  const isBad = isFailed(service)
  const isDim = service.outcome === 'not-started'
  const room = plan.place - GAP - plan.name - indent
  const parts = [`<g><title>${escaped(tooltip(row))}</title>`]
  if (isBad) {
    parts.push(
      box('tint', { x: MARGIN - 6, y: y + 1, width: WIDTH - 2 * MARGIN + 12, height: ROW - 2 }),
      box('bad', { x: MARGIN - 6, y: y + 1, width: 3, height: ROW - 2 }),
    )
  } else {
    // Something to point at, all along the row.
    parts.push(
      `<rect x="${MARGIN}" y="${px(y)}" width="${WIDTH - 2 * MARGIN}" height="${ROW}" fill="none" pointer-events="all"/>`,
    )
  }
  parts.push(
    textAt(plan.name + indent, base, fitted(name, room, SIZE), { of: isDim ? 'dim' : 'text' }),
    textAt(plan.place, base, placeOf(service), { of: 'dim' }),
    textAt(plan.outcome, base, outcomeOf(service), {
      of: isBad ? 'bad' : isDim ? 'dim' : 'clean',
      bold: isBad,
    }),
    textAt(plan.total, base, totalOf(service), { of: 'text', anchor: 'end' }),
  )
  if (row.time) {
    parts.push(...row.spans.map((span) => drawSpan(span, xOf, y)))
    if (row.time.from < 0) {
      const middle = y + ROW / 2
      parts.push(
        `<path class="bh-dim" d="M${px(plan.left - 2)} ${px(middle - 4)}l-5 4l5 4z"><title>began before the shutdown</title></path>`,
      )
    }
  } else {
    parts.push(textAt(plan.left, base, downText(service), { of: 'dim' }))
  }
  parts.push('</g>')
  return parts
}

function drawSpan({ phase, from, to }: Span, xOf: (ms: number) => number, y: number): string {
  if (to < 0) return ''
  const x = xOf(from)
  const { height, lift } = shapeOf(phase)
  const at = { x, y: y + (ROW - BAR) / 2 + lift, width: Math.max(xOf(to) - x, THINNEST), height }
  return box(phase, at, `${phase} ${formatMs(to - from)}`)
}

/** How high its bar is, and by how much that is moved to stand in the middle of its line. */
export function shapeOf(phase: PathPhase): { height: number; lift: number } {
  return PHASE_STYLES[phase].isThin
    ? { height: THIN_BAR, lift: (BAR - THIN_BAR) / 2 }
    : { height: BAR, lift: 0 }
}

export function indentOf(depth: number): number {
  return Math.min(depth, DEEPEST) * INDENT
}

/** It had to be given up, its thread had to be ended, or the crash began there. */
function isFailed({ outcome }: ServiceReport): boolean {
  return outcome === 'timed-out' || outcome === 'terminated' || outcome === 'crashed'
}

export function outcomeOf({ outcome }: ServiceReport): string {
  return OUTCOMES[outcome] ?? outcome
}

const OUTCOMES: Partial<Record<ServiceReport['outcome'], string>> = {
  'timed-out': '✗ timed out',
  terminated: '✗ terminated',
  crashed: '✗ crashed',
  'not-started': 'not started',
}

export function totalOf({ totalMs }: ServiceReport): string {
  return totalMs === undefined ? '' : formatMs(totalMs)
}

function downText({ startedAtMs, totalMs }: ServiceReport): string {
  if (startedAtMs === undefined || totalMs === undefined || startedAtMs + totalMs >= 0) return ''
  return `was down ${formatMs(-startedAtMs - totalMs)} before`
}

function tooltip({ service, spans }: TimedRow): string {
  const { path, outcome, startedAtMs, errors } = service
  const times = startedAtMs === undefined ? '' : `, ${totalOf(service)} from ${formatMs(startedAtMs)} on`
  const took = spans.map(({ phase, from, to }) => `${phase} ${formatMs(to - from)}`)
  const lines = [`${path} (${placeOf(service)}): ${outcome}${times}`, ...took]
  if (errors.length > 0) lines.push(`${errors.length} ${errors.length === 1 ? 'error' : 'errors'}`)
  return lines.join(' · ')
}
