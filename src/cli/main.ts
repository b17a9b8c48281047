#!/usr/bin/env node
import { inspect } from 'node:util'
import { isBulkheadError } from '../errors/bulkhead-error.ts'
import { type Command, FileError, UsageError, parseCommand } from './args.ts'
import { usage, version } from './usage.ts'

async function main(): Promise<void> {
  // Until a command says otherwise: one whose event loop runs dry has not done what it was asked to.
  process.exitCode = 1
  try {
    await execute(parseCommand(process.argv.slice(2)))
  } catch (error) {
    process.stderr.write(`bulkhead: ${messageOf(error)}\n`)
    // Whatever the module began before it failed must not keep the process.
    process.exit(error instanceof UsageError ? 2 : 1)
  }
}

/** Commands are loaded when they are needed: usage errors and help need none. */
async function execute(command: Command): Promise<void> {
  switch (command.name) {
    case 'help':
      print(usage(command.topic))
      break
    case 'version':
      print(version())
      break
    case 'run':
      return (await import('./run.ts')).run(command)
    case 'graph':
      return (await import('./graph.ts')).graph(command)
    case 'bench':
      return (await import('./bench.ts')).bench(command)
    case 'bench-run':
      return (await import('./bench-run.ts')).benchRun(command)
    default:
      // A command without a case here does not compile.
      command satisfies never
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
  process.exitCode = 0
}

function messageOf(error: unknown): string {
  // Ours to explain, and those of the library explain themselves; anything else is a fault that needs its stack.
  const isOurs = error instanceof UsageError || error instanceof FileError
  const isPlain = isOurs || (error as Error | undefined)?.name === 'ModuleError'
  return isPlain || isBulkheadError(error) ? (error as Error).message : inspect(error)
}

await main()
