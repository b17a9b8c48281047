import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { parseDuration } from '../base/duration.ts'
import { describe } from '../errors/describe.ts'
import { type BenchCommand, FileError } from './args.ts'
import { compareResults, formatComparison } from './bench-compare.ts'
import { formatBench } from './bench-format.ts'
import { type BenchResult, parseResult, summarize } from './bench-result.ts'
import type { BenchRun } from './bench-run.ts'
import { ModuleError, oneLineOf } from './load.ts'

export async function bench(command: BenchCommand): Promise<void> {
  const { module, runs, json, compare, failOver } = command
  // Before minutes are spent on measuring.
  const before = compare === undefined ? undefined : readResult(compare)
  await measureOnce(command, 'the warm-up run')
  const measured: BenchRun[] = []
  for (let index = 1; index <= runs; index++)
    measured.push(await measureOnce(command, `run ${index} of ${runs}`))
  const result = summarize(measured)
  const comparison = before && compareResults(before, result)
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...result, ...(comparison && { comparison }) })}\n`)
  } else {
    const { columns = 100 } = process.stdout as Partial<NodeJS.WriteStream>
    const parts = [formatBench(result, module, columns)]
    if (comparison) parts.push(formatComparison(comparison, compare!))
    process.stdout.write(`${parts.join('\n\n')}\n`)
  }
  const tooSlow = failOver === undefined ? undefined : overLimit(result, failOver)
  if (tooSlow !== undefined) process.stderr.write(`bulkhead: ${tooSlow}\n`)
  process.exitCode = tooSlow === undefined ? 0 : 1
}

/** @throws FileError */
function readResult(file: string): BenchResult {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new FileError(`${file} could not be read: ${oneLineOf(describe(error))}`)
  }
  const result = parseResult(text)
  if (result) return result
  throw new FileError(`${file} is no result of "bulkhead bench --json", which is what --compare reads`)
}

/** One line if the shutdown takes longer than it may. */
export function overLimit({ shutdown }: Pick<BenchResult, 'shutdown'>, limit: string): string | undefined {
  if (shutdown.p99 <= parseDuration(limit)!) return undefined
  return `the p99 of the shutdown is ${shutdown.p99} ms, longer than the ${limit} of --fail-over`
}

async function measureOnce({ module, args, inline }: BenchCommand, which: string): Promise<BenchRun> {
  const argv = ['bench-run', ...(inline ? ['--inline'] : []), '--', module, ...args]
  const child = fork(process.argv[1]!, argv, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  let measured: BenchRun | undefined
  child.on('message', (message) => (measured = message as BenchRun))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (measured && code === 0) return measured
  throw new ModuleError(`${which} failed (${signal ?? `exit code ${code}`}); stopped measuring ${module}`)
}
