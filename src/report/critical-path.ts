import { tenths } from './milliseconds.ts'
import type { ShutdownReport } from './shutdown-report.ts'
import { type PathPhase, type TimedRow, GRAIN_MS, timelineOf } from './timeline.ts'

/** Time of a shutdown, and what it was spent on. */
export interface PathSegment {
  /** The path of the service that was waited for by those above it. */
  readonly path: string
  /** What it was doing; `other` for time that no phase of it explains. */
  readonly phase: PathPhase
  /** When this began, in milliseconds after the shutdown did. */
  readonly startMs: number
  /** How long it lasted, in milliseconds. */
  readonly ms: number
}

interface Window {
  readonly row: TimedRow
  readonly from: number
  readonly to: number
}

/**
 * What a shutdown waited for, moment by moment: had one of these segments been shorter, the whole would have been. They
 * are in order, do not overlap, and make up `totalMs`. What stopped meanwhile, without being waited for, is not in it.
 */
export function criticalPath(report: ShutdownReport): PathSegment[] {
  return pathThrough(timelineOf(report), report.totalMs)
}

/** As criticalPath, from rows that have been given their times. */
export function pathThrough(rows: readonly TimedRow[], totalMs: number): PathSegment[] {
  const [first] = rows
  if (!first || !(totalMs > 0) || !Number.isFinite(totalMs)) return []
  const found: { path: string; phase: PathPhase; from: number; to: number }[] = []
  const roots = rows.filter(({ time, parent }) => time && parent === undefined)
  // A tree may be deeper than the stack.
  const open: Window[] = []
  const waitFor = (waiter: TimedRow, candidates: readonly TimedRow[], from: number, to: number): void => {
    const { waited, gaps } = lastToEnd(candidates, from, to)
    open.push(...waited)
    const { path } = waiter.service
    for (const gap of gaps) found.push({ path, phase: 'other', ...gap })
  }
  waitFor(first, roots, 0, totalMs)
  for (let window = open.pop(); window; window = open.pop()) {
    const { row } = window
    for (const span of row.spans) {
      const from = Math.max(span.from, window.from)
      const to = Math.min(span.to, window.to)
      if (to <= from) continue
      if (span.phase === 'children') waitFor(row, row.stopped, from, to)
      else found.push({ path: row.service.path, phase: span.phase, from, to })
    }
  }
  return joined(found.toSorted((a, b) => a.from - b.from))
}

/** The path's time by service and phase, the longest first. */
export function longestOf(path: readonly PathSegment[]): Omit<PathSegment, 'startMs'>[] {
  const sums = new Map<string, Omit<PathSegment, 'startMs'>>()
  for (const { path: service, phase, ms } of path) {
    const key = `${phase} ${service}`
    sums.set(key, { path: service, phase, ms: tenths((sums.get(key)?.ms ?? 0) + ms) })
  }
  return [...sums.values()].toSorted((a, b) => b.ms - a.ms)
}

/**
 * From the end back to the beginning: whoever ended last was waited for, until it began; whoever ended last before that
 * was waited for before, and so on.
 */
function lastToEnd(
  candidates: readonly TimedRow[],
  from: number,
  to: number,
): { waited: Window[]; gaps: { from: number; to: number }[] } {
  const waited: Window[] = []
  const gaps: { from: number; to: number }[] = []
  let rest = candidates.toSorted((a, b) => b.time!.to - a.time!.to)
  let at = to
  while (at > from) {
    // Only those at the front: to go through all of them for each would take long where there are thousands.
    const front = rest.findIndex(({ time }) => time!.from < at)
    if (front > 0) rest = rest.slice(front)
    const next = front === -1 ? undefined : latest(rest, at)
    if (!next || next.end <= from) break
    const { row, end } = next
    const begin = Math.max(row.time!.from, from)
    if (end < at) gaps.push({ from: end, to: at })
    waited.push({ row, from: begin, to: end })
    at = begin
  }
  if (at > from) gaps.push({ from, to: at })
  return { waited, gaps }
}

/** Who is most likely what the moment `at` waited for, and until when. The rows are in order of their ends, last first. */
function latest(rows: readonly TimedRow[], at: number): { row: TimedRow; end: number } | undefined {
  let best: { row: TimedRow; end: number; over: boolean } | undefined
  for (const row of rows) {
    const { from, to } = row.time!
    if (best && to < at - GRAIN_MS) break
    if (from >= at) continue
    const candidate = { row, ...endBefore(row, at) }
    if (!best || isLater(candidate, best, at)) best = candidate
  }
  return best
}

function isLater(
  one: { row: TimedRow; end: number; over: boolean },
  other: { row: TimedRow; end: number; over: boolean },
  at: number,
): boolean {
  // One that ended just then is what was waited for, rather than one that went on meanwhile.
  const oneJustThen = one.over && one.end >= at - GRAIN_MS
  const otherJustThen = other.over && other.end >= at - GRAIN_MS
  if (oneJustThen !== otherJustThen) return oneJustThen
  if (one.end !== other.end) return one.end > other.end
  return one.row.time!.from > other.row.time!.from
}

/** A service is down before its thread is gone, and the next one may begin to stop in between. */
function endBefore({ time, spans }: TimedRow, at: number): { end: number; over: boolean } {
  const { to } = time!
  if (to <= at + GRAIN_MS) return { end: Math.min(to, at), over: true }
  const down = spans.find(({ phase }) => phase === 'threadExit')?.from
  if (down !== undefined && Math.abs(down - at) <= GRAIN_MS) return { end: Math.min(down, at), over: true }
  return { end: at, over: false }
}

function joined(
  found: readonly { path: string; phase: PathPhase; from: number; to: number }[],
): PathSegment[] {
  const path: PathSegment[] = []
  for (const { path: service, phase, from, to } of found) {
    const last = path.at(-1)
    // Rounding the ends, not the lengths, keeps the sum.
    const startMs = last?.path === service && last.phase === phase ? last.startMs : tenths(from)
    const ms = tenths(tenths(to) - startMs)
    if (ms <= 0) continue
    const segment = { path: service, phase, startMs, ms }
    if (startMs === last?.startMs) path[path.length - 1] = segment
    else path.push(segment)
  }
  return path
}
