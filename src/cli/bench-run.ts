import type { ShutdownReport } from '../report/shutdown-report.ts'
import type { StartReport } from '../report/start-report.ts'
import type { BenchRunCommand } from './args.ts'
import { endSoon } from './end.ts'
import { loadHost } from './load.ts'
import { runOnce } from './once.ts'
import { tellFailedStart } from './run.ts'

/** What one run of a bench measured; times in milliseconds. */
export interface BenchRun {
  readonly start: StartReport
  readonly report: ShutdownReport
}

/** Starts and stops the app once, and sends the bench what it measured. */
export async function benchRun(command: BenchRunCommand): Promise<void> {
  const host = await loadHost(command)
  const report = await runOnce(host)
  tellFailedStart(host, report, command.module)
  const start = host.startReport
  if (start?.outcome === 'running') {
    const result: BenchRun = { start, report }
    if (process.send) process.send(result, () => process.disconnect())
    else process.stdout.write(`${JSON.stringify(result)}\n`)
  }
  endSoon()
}
