import { formatMs } from '../report/milliseconds.ts'
import { histogram } from './bench-histogram.ts'
import type { BenchResult, Percentiles } from './bench-result.ts'
import { alignColumns } from './columns.ts'

/** Of the whole: less is told in one line with others like it. */
const LEAST_SHARE = 0.01
/** One run has no distribution. */
const FEWEST_FOR_HISTOGRAM = 2

/** All that was measured, within so many columns where it can be helped. */
export function formatBench(result: BenchResult, title: string, width: number): string {
  const { runs, samples } = result
  const parts = [formatTable(result, title)]
  if (runs >= FEWEST_FOR_HISTOGRAM) {
    const bars = (name: string, times: readonly number[]): string =>
      [name, ...histogram(times, width - 2).map((line) => `  ${line}`)].join('\n')
    parts.push(bars('Start, runs', samples.start), bars('Shutdown, runs', samples.shutdown))
  }
  parts.push(formatPath(result))
  return parts.join('\n\n')
}

export function formatTable({ runs, start, shutdown, services }: BenchResult, title: string): string {
  const rows: string[][] = [
    ['', '', 'p50', 'p90', 'p99'],
    row('whole app', 'start', start),
    row('', 'shutdown', shutdown),
  ]
  for (const { path, phases } of services) {
    Object.entries(phases).forEach(([phase, times], index) =>
      rows.push(row(index === 0 ? path : '', phase, times)),
    )
  }
  const lines = alignColumns(rows, [false, false, true, true, true])
  return [`${title}: ${runs} ${runs === 1 ? 'run' : 'runs'}`, ...lines].join('\n')
}

/** What the shutdown of the median run waited for, in the order of time. */
export function formatPath({ criticalPath, medianRun, runs, samples }: BenchResult): string {
  const totalMs = samples.shutdown[medianRun - 1] ?? 0
  const title = `What the shutdown waited for (run ${medianRun} of ${runs}, the median: ${formatMs(totalMs)})`
  const long = criticalPath.filter(({ ms }) => ms >= totalMs * LEAST_SHARE)
  const short = criticalPath.filter(({ ms }) => ms < totalMs * LEAST_SHARE)
  const rest = short.reduce((sum, { ms }) => sum + ms, 0)
  const share = (ms: number): string => `${Math.round((ms / totalMs) * 100)} %`
  const rows = long.map(({ path, phase, ms }) => [path, phase, formatMs(ms), share(ms)])
  if (short.length > 0) rows.push([`${short.length} shorter`, '', formatMs(rest), share(rest)])
  if (rows.length === 0) return `${title}\n  nothing`
  return [title, ...alignColumns(rows, [false, false, true, true]).map((line) => `  ${line}`)].join('\n')
}

function row(service: string, phase: string, { p50, p90, p99 }: Percentiles): string[] {
  return [service, phase, formatMs(p50), formatMs(p90), formatMs(p99)]
}
