import type { Piscina } from 'piscina'
import type { Duration } from '../base/duration.ts'
import { fail, toMilliseconds, wholeNumber } from '../errors/arguments.ts'

type PiscinaOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>

export interface PoolOptions {
  /** The module whose exports are the tasks: a URL, or an absolute path. */
  filename: string | URL
  /** How many threads are kept from the start on. @default Piscina's, half the processors */
  minThreads?: number
  /** How many threads there are at most. @default Piscina's, one and a half times the processors */
  maxThreads?: number
  /** How long a thread beyond `minThreads` may have nothing to do before it ends; a number is milliseconds. @default 0 */
  idleTimeout?: Duration
  /** How many tasks may wait for a thread; one more rejects with `ERR_OVERLOADED`. @default Infinity */
  maxQueue?: number
  /** How many tasks one thread may run at a time. @default 1 */
  concurrentTasksPerWorker?: number
  /** Limits of each thread's memory, as `worker_threads.Worker` has them. @default Node's own */
  resourceLimits?: PiscinaOptions['resourceLimits']
  /** Environment variables of the threads, as `worker_threads.Worker` has them. @default a copy of this process's */
  env?: PiscinaOptions['env']
  /** Node's flags for the threads, as `worker_threads.Worker` has them. @default those of this process, without tsx */
  execArgv?: readonly string[]
  /** Name of the pool in graphs and logs. @default 'Pool' */
  label?: string
}

export interface RunOptions {
  /** Name of the export to call; a module without it: `ERR_NO_SUCH_EXPORT`. @default 'default' */
  name?: string
  /** On its abort the task rejects with its reason: one that waits never runs, one that runs ends with its thread. */
  signal?: AbortSignal
}

/** @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_DURATION` */
export function checkOptions(options: PoolOptions): void {
  toMilliseconds(options.idleTimeout ?? 0)
  for (const [name, least] of MINIMUMS) {
    const value = options[name]
    if (value !== undefined) wholeNumber(name, value, { least, orInfinity: name === 'maxQueue' })
  }
  const { minThreads = 0, maxThreads = Infinity } = options
  if (minThreads > maxThreads) fail(`minThreads is ${minThreads}, more than maxThreads (${maxThreads})`)
}

const MINIMUMS = [
  ['minThreads', 0],
  ['maxThreads', 1],
  ['maxQueue', 0],
  ['concurrentTasksPerWorker', 1],
] as const
