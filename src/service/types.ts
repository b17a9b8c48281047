import type { Duration } from '../base/duration.ts'
import type { Beacon } from '../beacon/beacon.ts'
import type { ServiceState } from '../wire/facts.ts'

export type { ServiceState }

export interface ServiceOptions {
  /** What graphs and logs call the service. @default the name of its class */
  label?: string
}

/** A change of state that has just been made. */
export interface StateChange {
  /** The state from now on. */
  readonly state: ServiceState
  /** The state until now. */
  readonly previous: ServiceState
  /** Why, with the state `crashed`: what was thrown, or was given to crash(). */
  readonly reason?: unknown
}

/** What can be looked at: a service, a handle, or the mirror of something that lives in a thread. */
export interface ServiceView {
  /** Where it is in its life: `'init'` before its first start, and what start, stop and crash make of it from then on. */
  readonly state: ServiceState
  /** Whether it has come to run and has neither stopped nor crashed since; true also while it is stopping. */
  readonly started: boolean
  /** Whether its state is `'crashed'`; the teardown of that may be under way. */
  readonly crashed: boolean
  /** Whether a stop or crash has begun, or is over; false before the first start. */
  readonly shouldStop: boolean
  /** What it crashed with; undefined from its next start on. */
  readonly crashReason: unknown
  /** How many times it has been restarted, by whomever; a plain start() after a stop is none. */
  readonly restartCount: number
  /** What graphs call it: the label it was given, or the name of its class. */
  get label(): string
  /** What its log lines begin with: the label, unless overridden. */
  get shortLabel(): string
  /** Its place in the dependency graph, which knows its path. */
  readonly beacon: Beacon
  /** The services right below it, in order of addition. */
  readonly children: readonly ServiceView[]
  /** Calls `listener` at every change of state until the returned function is called. */
  onChange(listener: (change: StateChange) => void): () => void
}

export interface StopOptions {
  /**
   * What the whole subtree has to stop, in milliseconds or with a unit. What outlives it is abandoned, a thread is ended,
   * and stop() rejects with `ERR_STOP_TIMEOUT`. A later stop may shorten it, and never lengthens it.
   * @default Infinity
   */
  timeout?: Duration
}

/** What can be steered: a service, a handle on one in a thread, a supervisor, a pool, a host. */
export interface ServiceLike extends ServiceView {
  /**
   * Starts it and its children, and resolves once it runs. Legal from `init`, `stopped` and a crash whose teardown is over.
   * @throws `ERR_INVALID_STATE`, `ERR_START_FAILED`, `ERR_STOPPED_WHILE_STARTING`, or what a hook threw
   */
  start(): Promise<void>
  /**
   * Starts it unless it runs; joins a start under way. True when this call started it.
   * @throws as start() does, also while it is stopping
   */
  maybeStart(): Promise<boolean>
  /**
   * Stops it and its children, in reverse, and resolves once all are down; joins a stop under way.
   * @throws `ERR_STOP_TIMEOUT`, `ERR_SHUTDOWN_TIMEOUT`, or what hooks threw: one error as itself, several as one
   * AggregateError
   */
  stop(options?: StopOptions): Promise<void>
  /**
   * Stops it, if it is up, and starts it again; joins a restart under way. Errors of the stop are logged.
   * @throws as start() does; `ERR_STOPPED_WHILE_STARTING` when a stop() comes in between
   */
  restart(): Promise<void>
  /** Crashes it with `reason`, and resolves once it is torn down. Never rejects. */
  crash(reason: unknown): Promise<void>
  /** Resolves when a stop begins or it crashes; at once when it is not up. Never rejects. */
  waitUntilStopped(): Promise<void>
  /** Lets a stop go on that waits for it: see `waitForShutdown`. It may come before the stop does. */
  setShutdown(): void
  /** Who decides what follows when it crashes; undefined when a crash goes on to its parent. */
  readonly supervisor: SupervisorLike | undefined
  [Symbol.asyncDispose](): Promise<void>
}

export interface SupervisorLike extends ServiceLike {
  /** Adds children, and starts them if it runs. */
  add(...services: ServiceLike[]): void
  /** Stops a child for good and detaches it. */
  remove(service: ServiceLike): Promise<void>
}
