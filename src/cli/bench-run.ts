import type { Host } from '../host/host.ts'
import type { ShutdownReport } from '../host/report.ts'
import type { BenchRunCommand } from './args.ts'
import { endSoon } from './end.ts'
import { loadHost } from './load.ts'
import { runOnce } from './once.ts'
import { tellFailedStart } from './run.ts'

/** What one run of a bench measured; times in milliseconds. */
export interface BenchRun {
  readonly startMs: number
  /** By path. */
  readonly starts: Readonly<Record<string, number>>
  readonly report: ShutdownReport
}

/** Starts and stops the app once, and sends the bench what it measured. */
export async function benchRun(command: BenchRunCommand): Promise<void> {
  const host = await loadHost(command)
  const starts = watchStarts(host)
  const began = performance.now()
  let startMs: number | undefined
  const report = await runOnce(host, () => (startMs = performance.now() - began))
  tellFailedStart(host, report, command.module)
  if (startMs !== undefined) {
    const result: BenchRun = { startMs, starts: Object.fromEntries(starts), report }
    if (process.send) process.send(result, () => process.disconnect())
    else process.stdout.write(`${JSON.stringify(result)}\n`)
  }
  endSoon()
}

/** How long each service takes from `starting` to `running`. */
function watchStarts(host: Host): ReadonlyMap<string, number> {
  const began = new Map<string, number>()
  const took = new Map<string, number>()
  host.beacon.observe(({ beacon }) => {
    const { path } = beacon
    const { state } = beacon.data
    if (state === 'starting' && !began.has(path)) began.set(path, performance.now())
    else if (state === 'running' && !took.has(path))
      took.set(path, performance.now() - (began.get(path) ?? NaN))
  })
  return took
}
