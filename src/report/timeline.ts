import { type StopPhase, type StopStep, STOP_PHASES, STOP_STEPS, isStopPhase } from '../wire/records.ts'
import type { ServiceReport, ShutdownReport } from './shutdown-report.ts'
import { type Row, rowsOf } from './rows.ts'

/** A phase of a stop, or time of it that no phase explains. */
export type PathPhase = StopPhase | 'other'

/** In the order in which they are drawn and explained. */
export const PATH_PHASES: readonly PathPhase[] = [...STOP_PHASES, 'other']

/** Milliseconds after the shutdown began. */
export interface Span {
  readonly phase: PathPhase
  readonly from: number
  readonly to: number
}

/** A row of the report whose phases have been given times. */
export interface TimedRow extends Row {
  /** Milliseconds after the shutdown began; undefined for one that did not stop during it. */
  readonly time: { readonly from: number; readonly to: number } | undefined
  /** One after another without a gap, from the beginning of its stop to the end. */
  readonly spans: readonly Span[]
  /**
   * Those that were waited for in its place: its children, and for a child that was down before what was still up below
   * it.
   */
  readonly stopped: readonly TimedRow[]
}

/** Beginnings are taken from a clock that counts whole milliseconds; how long something took is known better. */
export const GRAIN_MS = 1

// The table of steps, parted by the step that is drawn as the children's own and by the one that is no phase and so
// leaves a gap: none of it can be left out.
const BEFORE_CHILDREN = phasesBetween(undefined, 'children')
const AFTER_CHILDREN = phasesBetween('children', 'resources')
const AT_THE_END = phasesBetween('resources', undefined)

function phasesBetween(after: StopStep | undefined, before: StopStep | undefined): readonly StopPhase[] {
  const from = after === undefined ? 0 : STOP_STEPS.indexOf(after) + 1
  const to = before === undefined ? STOP_STEPS.length : STOP_STEPS.indexOf(before)
  return STOP_STEPS.slice(from, to).filter(isStopPhase)
}

type Building = { -readonly [K in keyof TimedRow]: TimedRow[K] } & {
  time: { from: number; to: number } | undefined
  stopped: Building[]
}

/** The rows of a report in its order, with the times of their phases as far as the report tells. */
export function timelineOf({ services, totalMs }: ShutdownReport): TimedRow[] {
  const whole = atLeast0(totalMs)
  const rows: Building[] = rowsOf(services).map((row) => ({
    ...row,
    time: timeOf(row.service, whole),
    spans: [],
    stopped: [],
  }))
  for (const row of rows) {
    if (!row.time) continue
    let { parent } = row
    while (parent !== undefined && !rows[parent]!.time) parent = rows[parent]!.parent
    if (parent !== undefined) rows[parent]!.stopped.push(row)
  }
  settle(
    rows.filter(({ time, parent }) => time && parent === undefined),
    0,
    whole,
  )
  // Parents come first: the time of a row is settled when its children are settled within it.
  for (const row of rows) {
    if (!row.time) continue
    row.spans = spansOf(row.service, row.time, row.stopped)
    const children = row.spans.find(({ phase }) => phase === 'children')
    if (children) settle(row.stopped, children.from, children.to)
  }
  return rows
}

function timeOf(
  { startedAtMs, totalMs }: ServiceReport,
  whole: number,
): { from: number; to: number } | undefined {
  if (startedAtMs === undefined || totalMs === undefined) return undefined
  const to = startedAtMs + totalMs
  if (!Number.isFinite(to) || to < 0 || startedAtMs > whole + GRAIN_MS) return undefined
  return { from: startedAtMs, to: Math.max(to, startedAtMs) }
}

/** Moves what overlaps by no more than the clock's grain: one that waited for another cannot have begun before its end. */
function settle(rows: readonly Building[], from: number, to: number): void {
  // They stop in reverse order; the sort is stable.
  const inTime = rows.toReversed().toSorted((a, b) => a.time!.from - b.time!.from)
  const move = ({ time }: Building, by: number): void => {
    time!.from += by
    time!.to += by
  }
  const begun = new Map(inTime.map((row) => [row, row.time!.from]))
  let limit = from
  for (const row of inTime) {
    const overlap = limit - row.time!.from
    if (overlap > 0 && overlap <= GRAIN_MS) move(row, overlap)
    limit = Math.max(limit, row.time!.to)
  }
  limit = to
  for (const row of inTime.toReversed()) {
    const overlap = row.time!.to - limit
    const least = begun.get(row)! - GRAIN_MS
    if (overlap > 0 && overlap <= GRAIN_MS && row.time!.from - overlap >= least) move(row, -overlap)
    limit = Math.min(limit, row.time!.from)
  }
}

function spansOf(
  { phases }: ServiceReport,
  { from, to }: { from: number; to: number },
  stopped: readonly TimedRow[],
): Span[] {
  const spans: Span[] = []
  let at = from
  const until = (phase: PathPhase, end: number): void => {
    const next = Math.min(Math.max(end, at), to)
    if (next > at) spans.push({ phase, from: at, to: next })
    at = next
  }
  const took = (phase: StopPhase): number => atLeast0(phases[phase])
  const sum = (some: readonly StopPhase[]): number => some.reduce((total, phase) => total + took(phase), 0)

  for (const phase of BEFORE_CHILDREN) until(phase, at + took(phase))
  const first = stopped.reduce((least, { time }) => Math.min(least, time!.from), Infinity)
  // What came before the first child, and is no phase: a hook of the start that had to end first, the way to a thread.
  const rest = took('children') + sum(AFTER_CHILDREN) + sum(AT_THE_END)
  if (took('children') > 0 && first - at > GRAIN_MS) until('other', Math.min(first, to - rest))
  until('children', at + took('children'))
  for (const phase of AFTER_CHILDREN) until(phase, at + took(phase))
  until('other', to - sum(AT_THE_END))
  for (const phase of AT_THE_END) until(phase, at + took(phase))
  until('other', to)
  return spans
}

function atLeast0(ms: number | null | undefined): number {
  return typeof ms === 'number' && ms > 0 && Number.isFinite(ms) ? ms : 0
}
