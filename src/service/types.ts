import type { Duration } from '../base/duration.ts'
import type { Beacon } from '../beacon/beacon.ts'
import type { ServiceState } from '../wire/facts.ts'

export type { ServiceState }

export interface StateChange {
  readonly state: ServiceState
  readonly previous: ServiceState
  readonly reason?: unknown
}

/** What can be looked at: a service, a handle, or the mirror of something that lives in a thread. */
export interface ServiceView {
  readonly state: ServiceState
  /** From running until stopped or crashed. */
  readonly started: boolean
  readonly crashed: boolean
  /** Whether a stop or crash has begun. */
  readonly shouldStop: boolean
  readonly crashReason: unknown
  readonly restartCount: number
  /** For graphs: the class name unless given. */
  get label(): string
  /** For logs: the label unless overridden. */
  get shortLabel(): string
  /** Its place in the dependency graph. */
  readonly beacon: Beacon
  readonly children: readonly ServiceView[]
  /** Calls `listener` at every change of state until the returned function is called. */
  onChange(listener: (change: StateChange) => void): () => void
}

export interface StopOptions {
  /** One budget for the whole subtree. No limit by default. */
  timeout?: Duration
}

/** What can be steered: a service, a handle on one in a thread, a supervisor, a pool, a host. */
export interface ServiceLike extends ServiceView {
  /**
   * Legal from `init`, `stopped` and a crash whose teardown is over.
   * @throws `ERR_INVALID_STATE`, `ERR_START_FAILED`, `ERR_STOPPED_WHILE_STARTING`, or what a hook threw
   */
  start(): Promise<void>
  /**
   * Starts it unless it runs; joins a start under way. True when this call started it.
   * @throws as start() does, also while it is stopping
   */
  maybeStart(): Promise<boolean>
  /** @throws `ERR_STOP_TIMEOUT`, `ERR_SHUTDOWN_TIMEOUT`, or what hooks threw: one error as itself, several as one AggregateError */
  stop(options?: StopOptions): Promise<void>
  restart(): Promise<void>
  /** Never rejects. */
  crash(reason: unknown): Promise<void>
  /** Resolves when a stop begins or it crashes; at once when it is not up. Never rejects. */
  waitUntilStopped(): Promise<void>
  setShutdown(): void
  readonly supervisor: SupervisorLike | undefined
  [Symbol.asyncDispose](): Promise<void>
}

export interface SupervisorLike extends ServiceLike {
  add(...services: ServiceLike[]): void
  remove(service: ServiceLike): Promise<void>
}
