import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { FOREVER_MS, patience } from './patience.ts'

// tap puts a loader of its own into every process that a test starts, through NODE_OPTIONS.
const WITHOUT_TAP = ['-u', 'NODE_OPTIONS']

/**
 * Runs a program as if no test had started it.
 * @throws when it never ends or, unless `mayFail` is set, exits with another code than 0
 */
export function runClean(
  command: string,
  args: readonly string[],
  { cwd, mayFail = false }: { cwd: string; mayFail?: boolean },
): string {
  const { status, stdout, stderr } = spawnSync('env', [...WITHOUT_TAP, command, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 3 * FOREVER_MS,
  })
  if (status === null || (status !== 0 && !mayFail)) {
    throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  }
  return stdout
}

/** The same without waiting for it. Its `timeout` is the one of a quiet machine. */
export function spawnClean(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const timeout = options.timeout === undefined ? {} : { timeout: options.timeout * patience }
  return spawn('env', [...WITHOUT_TAP, command, ...args], { ...options, ...timeout })
}
