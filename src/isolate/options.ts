import type { ResourceLimits } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { Duration } from '../base/duration.ts'
import { notOneOf, toMilliseconds, wholeNumber } from '../errors/arguments.ts'
import type { CallLimits } from '../wire/messages.ts'
import type { ServiceClass } from '../service/service.ts'
import type { PlaceSpec, Transport } from '../transport/transport.ts'
import { transportNamed, transportNames } from './transports.ts'

export type Isolation = 'thread' | 'inline'

export interface IsolateOptions<A extends readonly unknown[] = readonly unknown[]> {
  /** Arguments of the service's constructor; they cross as those of a call do. @default [] */
  args?: A
  /**
   * Name of the export of the service's module that holds the class. A module without it: `ERR_NO_SUCH_EXPORT`.
   * @default for a class, the export that is that class; for a module, `'default'`
   */
  export?: string
  /**
   * Where the service lives: in a worker thread of its own, or on the thread of its handle.
   * @default what the environment variable `BULKHEAD_ISOLATION` says, else `'thread'`
   */
  isolation?: Isolation
  /** Name of the service in graphs and logs. @default the class name; for a module, its file's base name */
  label?: string
  /**
   * How long a start may take: the load of the module, the constructor and the hooks together; a number is milliseconds.
   * Beyond it start() rejects with `ERR_START_TIMEOUT` and the thread is ended.
   * @default '30s'
   */
  startTimeout?: Duration
  /**
   * How long a stop may take, at most what is left of the caller's budget; a number is milliseconds. Beyond it the thread
   * is ended and stop() rejects with `ERR_STOP_TIMEOUT`.
   * @default '10s'
   */
  stopTimeout?: Duration
  /**
   * How long calls that are running may go on before `onStop`, at most half of what is left of the stop's budget; a
   * number is milliseconds. Beyond it they reject with `ERR_SERVICE_STOPPED`, as those that wait for their turn do at once.
   * @default '2s'
   */
  drainTimeout?: Duration
  /** How many calls may run in the service at once; others wait for their turn. @default Infinity */
  concurrency?: number
  /** How many calls may wait for their turn; one more rejects with `ERR_OVERLOADED`. @default Infinity */
  maxQueue?: number
  /**
   * How long the thread's event loop may stand still before the thread is ended and the service crashes with
   * `ERR_THREAD_HUNG`; a number is milliseconds, `false` is never. While an inspector is open it does not count: a paused
   * debugger is no hang.
   * @default false
   */
  hangTimeout?: Duration | false
  /**
   * How long the thread's event loop may stand still before the stack that blocks it is logged; a number is milliseconds,
   * `false` is never.
   * @default '10s'
   */
  hangWarning?: Duration | false
  /** Limits of the thread's memory, as `worker_threads.Worker` has them. @default Node's own */
  resourceLimits?: ResourceLimits
  /** Environment variables of the thread, as `worker_threads.Worker` has them. @default a copy of this process's */
  env?: NodeJS.ProcessEnv
  /** Node's flags for the thread, as `worker_threads.Worker` has them. @default those of this process, without tsx */
  execArgv?: readonly string[]
}

/** Which class of the module a run is to make. */
export interface Source {
  readonly exportName: string
  /** For inline. */
  readonly load: () => Promise<ServiceClass>
}

export interface ResolvedOptions {
  readonly transport: Transport
  readonly spec: Omit<PlaceSpec, 'here'>
  readonly resolve: (clock: Clock) => Promise<Source>
  readonly args: readonly unknown[]
  readonly label: string
  readonly givenLabel: string | undefined
  readonly startTimeout: number
  readonly stopTimeout: number
  readonly limits: CallLimits
}

/** @throws `ERR_INVALID_DURATION`, `ERR_INVALID_ARGUMENT` */
export function resolveOptions(
  options: IsolateOptions,
  defaults: Pick<ResolvedOptions, 'label' | 'resolve'> & Pick<PlaceSpec, 'module'>,
): ResolvedOptions {
  const { isolation = defaultIsolation(), args = [], label: givenLabel } = options
  const transport = transportNamed(isolation) ?? notOneOf('isolation', isolation, transportNames())
  const label = givenLabel ?? defaults.label
  return {
    transport,
    spec: {
      label,
      module: defaults.module,
      worker: {
        env: options.env,
        execArgv: options.execArgv,
        resourceLimits: options.resourceLimits,
      },
      hang: {
        warning: toMilliseconds(options.hangWarning === false ? Infinity : (options.hangWarning ?? '10s')),
        timeout: toMilliseconds(options.hangTimeout === false ? Infinity : (options.hangTimeout ?? Infinity)),
      },
    },
    resolve: defaults.resolve,
    args,
    label,
    givenLabel,
    startTimeout: toMilliseconds(options.startTimeout ?? '30s'),
    stopTimeout: toMilliseconds(options.stopTimeout ?? '10s'),
    limits: {
      concurrency: wholeNumber('concurrency', options.concurrency ?? Infinity, {
        least: 1,
        orInfinity: true,
      }),
      maxQueue: wholeNumber('maxQueue', options.maxQueue ?? Infinity, { least: 0, orInfinity: true }),
      drainTimeout: toMilliseconds(options.drainTimeout ?? '2s'),
    },
  }
}

function defaultIsolation(): Isolation {
  return process.env['BULKHEAD_ISOLATION'] === 'inline' ? 'inline' : 'thread'
}
