import type { PlaceKind, ServiceState } from '../wire/facts.ts'
import type { StartPhase, StopPhase } from '../wire/records.ts'

/** What every event says of the service it is about. */
export interface EventContext {
  /** Path of the service in the graph. */
  readonly service: string
  /** The kind of place that it lives in. */
  readonly isolation: PlaceKind
}

/**
 * How a call ended: `ok`; `error`, its method threw; `refused`, it never began; `timeout` and `aborted`, its caller gave
 * it up; `stopped` and `crashed`, the service went down before.
 */
export type CallOutcome = 'ok' | 'error' | 'refused' | 'timeout' | 'aborted' | 'stopped' | 'crashed'

/**
 * A call, on the TracingChannel `bulkhead:call` as its caller sees it, on `bulkhead:serve` as the service does. Its end is
 * that of its stream, if it gives one.
 */
export interface CallContext extends EventContext {
  readonly method: string
  /** Set when it has ended. */
  outcome?: CallOutcome
  /** Of the error that it ended with, if that has one. */
  code?: string
  /** Milliseconds that it waited: for the start of the service where it was called, for its turn where it is served. */
  queuedMs?: number
  /** As TracingChannels have them. */
  result?: unknown
  error?: unknown
}

/** A start, on the TracingChannel `bulkhead:start`, from its first step to its last. */
export interface StartContext extends EventContext {
  /** The step that it is in, or ended in. */
  phase: StartPhase
  /** What each step took, in milliseconds; set when it has ended. */
  phases?: Readonly<Partial<Record<StartPhase, number>>>
  error?: unknown
}

/** A stop or the teardown after a crash, on the TracingChannel `bulkhead:stop`, from its first step to its last. */
export interface StopContext extends EventContext {
  /** The step that it is in, or ended in. */
  phase: StopPhase
  /** What each step took, in milliseconds; set when it has ended. */
  phases?: Readonly<Partial<Record<StopPhase, number>>>
  error?: unknown
}

/** A change of state, on the channel `bulkhead:state`. */
export interface StateContext extends EventContext {
  readonly state: ServiceState
  readonly previous: ServiceState
  /** Of a crash. */
  readonly reason?: unknown
}

/** A crash, on the channel `bulkhead:crash`, told once, where it began. */
export interface CrashContext extends EventContext {
  readonly reason: unknown
}

/** A place whose event loop stands still, on the channel `bulkhead:hang`. */
export interface HangContext extends EventContext {
  /** Milliseconds without a sign of life so far. */
  readonly forMs: number
  /** The JavaScript stack that blocks it, if that can be read. */
  readonly stack?: string
}

/**
 * What a supervisor tells, on the channel `bulkhead:supervisor`: its event (see `Supervisor.on`), with the supervisor's
 * own path as `service`.
 */
export interface SupervisorContext extends EventContext {
  readonly type: string
  /** Of one in another place: its mirror here. */
  readonly child?: unknown
  /** Path of the child. */
  readonly path: string
  readonly reason?: unknown
  readonly restarts: number
  readonly delayMs?: number
  /** Milliseconds since the epoch. */
  readonly at: number
}
