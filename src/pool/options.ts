import type { Piscina } from 'piscina'
import type { Duration } from '../base/duration.ts'
import { fail, toMilliseconds, wholeNumber } from '../errors/arguments.ts'

type PiscinaOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>

export interface PoolOptions {
  /** The module whose exports are the tasks: a URL, or an absolute path. */
  filename: string | URL
  /** Threads kept from the start; Piscina's default is half the cores. */
  minThreads?: number
  /** Piscina's default is one and a half times the cores. */
  maxThreads?: number
  /** How long a thread beyond `minThreads` may be idle before it ends; 0 by default. */
  idleTimeout?: Duration
  /** Tasks waiting for a thread; no limit by default, beyond it `ERR_OVERLOADED`. */
  maxQueue?: number
  /** 1 by default. */
  concurrentTasksPerWorker?: number
  /** As for `worker_threads.Worker`. */
  resourceLimits?: PiscinaOptions['resourceLimits']
  /** As for `worker_threads.Worker`. */
  env?: PiscinaOptions['env']
  /** As for `worker_threads.Worker`; this process's own by default, without tsx. */
  execArgv?: readonly string[]
  /** `'Pool'` by default. */
  label?: string
}

export interface RunOptions {
  /** Name of the export to call; `'default'` by default. */
  name?: string
  /** On its abort a queued task never runs, and a running one ends with its thread. */
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
