import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isBulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { formatReport } from '../report/format.ts'
import type { Host } from '../host/host.ts'
import type { ShutdownReport } from '../report/shutdown-report.ts'
import { formatSvg } from '../report/svg.ts'
import type { RunCommand } from './args.ts'
import { endSoon, writeLast } from './end.ts'
import { loadHost, oneLineOf } from './load.ts'

export async function run(command: RunCommand): Promise<void> {
  // A service may change the folder that it is relative to.
  const file = command.out === undefined ? undefined : resolve(command.out)
  const host = await loadHost(command)
  host.configure({ stopTimeout: command.stopTimeout, logLevel: command.logLevel, blockWarning: '5s' })
  const report = await host.run()
  tellFailedStart(host, report, command.module)
  if (file !== undefined) writeReport(report, command, file)
  else if (command.report === 'text') writeLast('stderr', formatReport(report, look()))
  else if (command.report === 'json') writeLast('stdout', JSON.stringify(report))
  endSoon()
}

/** At once and whole: whatever still holds the process, its end must not come in between. */
function writeReport(report: ShutdownReport, { report: kind, out }: RunCommand, file: string): void {
  const text =
    kind === 'svg'
      ? formatSvg(report)
      : `${kind === 'json' ? JSON.stringify(report) : formatReport(report)}\n`
  try {
    writeFileSync(file, text)
  } catch (error) {
    process.stderr.write(
      `bulkhead: the report could not be written to ${out}: ${oneLineOf(describe(error))}\n`,
    )
    process.exitCode = 1
  }
}

/** One line for those who do not read the log. */
export function tellFailedStart(host: Host, report: ShutdownReport, module: string): void {
  if (report.reason !== 'start-failed') return
  const { crashReason } = host
  const failed = isBulkheadError(crashReason, 'ERR_START_FAILED')
  const text = failed ? `${crashReason.service}: ${describe(crashReason.cause)}` : describe(crashReason)
  process.stderr.write(`bulkhead: ${module} could not be started: ${oneLineOf(text)}\n`)
}

function look(): { width: number; colour: boolean } {
  // Only a terminal has columns, whatever its type says.
  const { isTTY, columns = 100 } = process.stderr as Partial<NodeJS.WriteStream>
  const colour = isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
  return { width: Math.min(Math.max(columns, 80), 120), colour }
}
