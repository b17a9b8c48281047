import { type PathSegment, criticalPath } from '../report/critical-path.ts'
import type { BenchRun } from './bench-run.ts'

export interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

/** All times in milliseconds. */
export interface BenchResult {
  readonly runs: number
  /** From start() until it is running. */
  readonly start: Percentiles
  /** The whole shutdown. */
  readonly shutdown: Percentiles
  /** Each run's, in their order. */
  readonly samples: { readonly start: readonly number[]; readonly shutdown: readonly number[] }
  /** Which run, from 1 on, had the median of the shutdowns. */
  readonly medianRun: number
  /** What the shutdown of that run waited for. */
  readonly criticalPath: readonly PathSegment[]
  /**
   * By service, in graph order: `start` with its phases (`start.moduleLoad`), then the phases of the stop, and `stop`;
   * without the phases that took no time in any run.
   */
  readonly services: readonly BenchedService[]
}

export interface BenchedService {
  readonly path: string
  readonly phases: Readonly<Record<string, Percentiles>>
  /** Of the runs in which it stopped, in their order. */
  readonly samples: { readonly stop: readonly number[] }
}

export function summarize(runs: readonly BenchRun[]): BenchResult {
  const services = new Map<string, Map<string, number[]>>()
  const note = (path: string, phase: string, ms: number | undefined): void => {
    let phases = services.get(path)
    if (!phases) services.set(path, (phases = new Map()))
    if (ms === undefined) return
    const times = phases.get(phase)
    if (times) times.push(ms)
    else phases.set(phase, [ms])
  }
  for (const { start, report } of runs) {
    const starts = new Map(start.services.map((service) => [service.path, service]))
    for (const { path, phases, totalMs } of report.services) {
      const started = starts.get(path)
      note(path, 'start', started?.totalMs)
      for (const [phase, ms] of Object.entries(started?.phases ?? {})) note(path, `start.${phase}`, ms)
      for (const [phase, ms] of Object.entries(phases)) note(path, phase, ms)
      note(path, 'stop', totalMs)
    }
  }
  const start = runs.map((run) => run.start.totalMs)
  const shutdown = runs.map(({ report }) => report.totalMs)
  const median = shutdown.indexOf(atRank(shutdown, 50))
  return {
    runs: runs.length,
    start: percentiles(start),
    shutdown: percentiles(shutdown),
    samples: { start, shutdown },
    medianRun: median + 1,
    criticalPath: runs[median] ? criticalPath(runs[median].report) : [],
    services: Array.from(services, ([path, phases]) => ({
      path,
      phases: Object.fromEntries(
        [...phases]
          .filter(([phase, times]) => phase === 'start' || phase === 'stop' || times.some((ms) => ms > 0))
          .map(([phase, times]) => [phase, percentiles(times)]),
      ),
      samples: { stop: phases.get('stop') ?? [] },
    })),
  }
}

/** By the nearest rank: each is a time that was measured. */
export function percentiles(times: readonly number[]): Percentiles {
  const at = (percent: number): number => Math.round((atRank(times, percent) ?? 0) * 10) / 10
  return { p50: at(50), p90: at(90), p99: at(99) }
}

function atRank(times: readonly number[], percent: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  const rank = Math.max(Math.ceil((percent / 100) * sorted.length), 1)
  return sorted[rank - 1] ?? 0
}

/** What `--json` printed before, or undefined for anything else. */
export function parseResult(text: string): BenchResult | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { runs, samples, services } = (value ?? {}) as Partial<BenchResult>
  const isResult =
    typeof runs === 'number' &&
    areTimes(samples?.start) &&
    areTimes(samples?.shutdown) &&
    samples.shutdown.length > 0 &&
    Array.isArray(services) &&
    services.every(isService)
  return isResult ? (value as BenchResult) : undefined
}

function isService(value: unknown): boolean {
  const { path, samples } = (value ?? {}) as Partial<BenchedService>
  return typeof path === 'string' && areTimes(samples?.stop)
}

function areTimes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'number')
}
