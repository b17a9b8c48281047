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
  /** Arguments of the constructor, as those of a call. */
  args?: A
  /** Name of the export that holds the class; `'default'` for a module, found by identity for a class. */
  export?: string
  /** Where it lives: `'thread'` by default, or what the environment variable `BULKHEAD_ISOLATION` says. */
  isolation?: Isolation
  /** The class name by default, or the module's base name. */
  label?: string
  /** For module load, constructor and hooks; `'30s'` by default. */
  startTimeout?: Duration
  /** `'10s'` by default, capped by the caller's budget. */
  stopTimeout?: Duration
  /** How long calls in flight may take before `onStop`; `'2s'` by default, at most half of what is left. */
  drainTimeout?: Duration
  /** Calls running in the service at once; no limit by default. */
  concurrency?: number
  /** Calls waiting for that; no limit by default, beyond it `ERR_OVERLOADED`. */
  maxQueue?: number
  /**
   * A thread whose event loop gave no sign of life that long is ended, and the service crashes; `false`, the default,
   * for never. While an inspector is open it does not count: a paused debugger is no hang.
   */
  hangTimeout?: Duration | false
  /** After that long without a sign of life the stack that blocks is logged; `'10s'` by default. */
  hangWarning?: Duration | false
  /** As for `worker_threads.Worker`. */
  resourceLimits?: ResourceLimits
  /** As for `worker_threads.Worker`. */
  env?: NodeJS.ProcessEnv
  /** As for `worker_threads.Worker`; this process's own by default, without tsx. */
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
      env: options.env,
      execArgv: options.execArgv,
      resourceLimits: options.resourceLimits,
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
