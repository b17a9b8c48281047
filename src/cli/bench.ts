import { fork } from 'node:child_process'
import { once } from 'node:events'
import { formatMs } from '../host/milliseconds.ts'
import type { BenchCommand } from './args.ts'
import type { BenchRun } from './bench-run.ts'
import { ModuleError } from './load.ts'

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
  /** By service, in graph order: `start`, and each phase of the stop that took time in any run. */
  readonly services: readonly {
    readonly path: string
    readonly phases: Readonly<Record<string, Percentiles>>
  }[]
}

export async function bench(command: BenchCommand): Promise<void> {
  const runs: BenchRun[] = []
  for (let index = 1; index <= command.runs; index++) runs.push(await measureOnce(command, index))
  const result = summarize(runs)
  process.stdout.write(
    command.json ? `${JSON.stringify(result)}\n` : `${formatBench(result, command.module)}\n`,
  )
  process.exitCode = 0
}

async function measureOnce({ module, args, inline, runs }: BenchCommand, index: number): Promise<BenchRun> {
  const argv = ['bench-run', ...(inline ? ['--inline'] : []), '--', module, ...args]
  const child = fork(process.argv[1]!, argv, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  let measured: BenchRun | undefined
  child.on('message', (message) => (measured = message as BenchRun))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (measured && code === 0) return measured
  throw new ModuleError(
    `run ${index} of ${runs} failed (${signal ?? `exit code ${code}`}); stopped measuring ${module}`,
  )
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
  for (const { starts, report } of runs) {
    for (const { path, phases, totalMs } of report.services) {
      note(path, 'start', starts[path])
      for (const [phase, ms] of Object.entries(phases)) note(path, phase, ms)
      note(path, 'stop', totalMs)
    }
  }
  return {
    runs: runs.length,
    start: percentiles(runs.map(({ startMs }) => startMs)),
    shutdown: percentiles(runs.map(({ report }) => report.totalMs)),
    services: Array.from(services, ([path, phases]) => ({
      path,
      phases: Object.fromEntries(
        [...phases]
          .filter(([phase, times]) => phase === 'start' || phase === 'stop' || times.some((ms) => ms > 0))
          .map(([phase, times]) => [phase, percentiles(times)]),
      ),
    })),
  }
}

/** By the nearest rank: each is a time that was measured. */
export function percentiles(times: readonly number[]): Percentiles {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (percent: number): number => {
    const rank = Math.max(Math.ceil((percent / 100) * sorted.length), 1)
    return Math.round((sorted[rank - 1] ?? 0) * 10) / 10
  }
  return { p50: at(50), p90: at(90), p99: at(99) }
}

export function formatBench({ runs, start, shutdown, services }: BenchResult, title: string): string {
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
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  return [`${title}: ${runs} ${runs === 1 ? 'run' : 'runs'}`, ...lines].join('\n')
}

function row(service: string, phase: string, { p50, p90, p99 }: Percentiles): string[] {
  return [service, phase, formatMs(p50), formatMs(p90), formatMs(p99)]
}
