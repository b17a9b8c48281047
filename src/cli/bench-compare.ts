import { formatMs } from '../report/milliseconds.ts'
import type { BenchResult } from './bench-result.ts'
import { percentiles } from './bench-result.ts'
import { alignColumns } from './columns.ts'

/** How likely the noise alone may make a difference like the one that was seen. */
const THRESHOLD = 0.01
/** Milliseconds; reports have tenths. */
const LEAST_CHANGE = 0.1

export type Verdict = 'faster' | 'slower' | 'no difference beyond the noise'

/** All times in milliseconds. */
export interface Change {
  /** Absent for the whole app. */
  readonly path?: string
  readonly what: 'start' | 'shutdown' | 'stop'
  /** The medians. */
  readonly before: number
  readonly now: number
  /** Of the Mann-Whitney U test. */
  readonly p: number
  readonly verdict: Verdict
}

export interface Comparison {
  readonly runsBefore: number
  readonly runs: number
  readonly threshold: number
  readonly changes: readonly Change[]
}

export function compareResults(before: BenchResult, now: BenchResult): Comparison {
  const earlier = new Map(before.services.map(({ path, samples }) => [path, samples.stop]))
  const changes: Change[] = [
    { what: 'start', ...compareSamples(before.samples.start, now.samples.start) },
    { what: 'shutdown', ...compareSamples(before.samples.shutdown, now.samples.shutdown) },
  ]
  for (const { path, samples } of now.services) {
    const stop = earlier.get(path)
    if (stop === undefined || stop.length === 0 || samples.stop.length === 0) continue
    changes.push({ path, what: 'stop', ...compareSamples(stop, samples.stop) })
  }
  return { runsBefore: before.runs, runs: now.runs, threshold: THRESHOLD, changes }
}

/** Two-sided, with one threshold for each: of a hundred things that did not change, one may be told to have. */
export function compareSamples(
  before: readonly number[],
  now: readonly number[],
): Omit<Change, 'path' | 'what'> {
  const medians = { before: percentiles(before).p50, now: percentiles(now).p50 }
  const p = mannWhitney(before, now)
  const change = medians.now - medians.before
  const isNoise = p >= THRESHOLD || Math.abs(change) < LEAST_CHANGE - 1e-9
  const verdict = isNoise ? 'no difference beyond the noise' : change < 0 ? 'faster' : 'slower'
  return { ...medians, p, verdict }
}

/**
 * The Mann-Whitney U test, two-sided: how likely it is that two samples from one distribution, whatever that is, differ
 * as much as these in which of them has the greater values. By the normal approximation, corrected for ties and
 * continuity.
 */
export function mannWhitney(one: readonly number[], other: readonly number[]): number {
  const n = one.length
  const m = other.length
  const total = n + m
  if (n === 0 || m === 0) return 1
  const all = [
    ...one.map((value) => ({ value, mine: true })),
    ...other.map((value) => ({ value, mine: false })),
  ].toSorted((a, b) => a.value - b.value)
  let rankSum = 0
  let ties = 0
  for (let from = 0; from < total;) {
    let to = from + 1
    while (to < total && all[to]!.value === all[from]!.value) to++
    const shared = (from + 1 + to) / 2
    for (let index = from; index < to; index++) if (all[index]!.mine) rankSum += shared
    ties += (to - from) ** 3 - (to - from)
    from = to
  }
  const u = rankSum - (n * (n + 1)) / 2
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)))
  if (!(variance > 0)) return 1
  const z = Math.max(Math.abs(u - (n * m) / 2) - 0.5, 0) / Math.sqrt(variance)
  return Math.min(2 * upperTail(z), 1)
}

/** Of the normal distribution, from z ≥ 0 on (Abramowitz and Stegun 26.2.17; off by less than 1e-7). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const powers = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
  const sum = powers.reduceRight((rest, factor) => (rest + factor) * t, 0)
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum
}

export function formatComparison({ runsBefore, runs, changes }: Comparison, file: string): string {
  const rows = [['', '', 'before', 'now', 'change', '']]
  for (const { path, what, before, now, verdict } of changes) {
    const name = path ?? (what === 'start' ? 'whole app' : '')
    rows.push([name, what, formatMs(before), formatMs(now), changeText(before, now), verdict])
  }
  const lines = alignColumns(rows, [false, false, true, true, true, false])
  const counts = `${runsBefore} ${runsBefore === 1 ? 'run' : 'runs'} before, ${runs} now`
  const title = `Compared with ${file} (${counts}; medians, Mann-Whitney U, p < ${THRESHOLD})`
  const note = isTooFew(runsBefore, runs)
    ? ['So few runs cannot tell any difference from the noise: --runs 6 is the least, for both.']
    : []
  return [title, ...lines, ...note].join('\n')
}

/** Whether even samples that do not overlap at all are no evidence. */
function isTooFew(one: number, other: number): boolean {
  const lower = Array.from({ length: one }, (_, index) => index)
  const upper = Array.from({ length: other }, (_, index) => one + index)
  return mannWhitney(lower, upper) >= THRESHOLD
}

function changeText(before: number, now: number): string {
  if (before === now) return '0 %'
  const sign = now > before ? '+' : '-'
  if (before <= 0) return `${sign}${formatMs(Math.abs(now - before))}`
  const percent = (Math.abs(now - before) / before) * 100
  return `${sign}${percent < 9.95 ? Number(percent.toFixed(1)) : Math.round(percent)} %`
}
