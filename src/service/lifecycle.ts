import type { Duration } from '../base/duration.ts'
import type { Budget } from '../base/budget.ts'
import type { WorkDefinition } from '../schedule/metadata.ts'
import type { StartRecord, TeardownRecord } from '../wire/records.ts'
import type { ServiceLike, ServiceView } from './types.ts'
import type { WorkEntry } from '../wire/facts.ts'

/**
 * What the state machine acts on: the author's hooks for a Service, the place for a handle. The machine decides what
 * runs when; a lifecycle only does it. Every step may be async unless noted, and may throw.
 */
export interface Lifecycle {
  /** How the life cycle is told in the log; a handle says nothing, since the real service does. */
  logStep(text: string): void
  problem(error: unknown, text: string): void

  /** Not async. */
  postInit(): void
  /** Not async. */
  dependencies(): Iterable<ServiceLike>
  firstStart(): unknown
  /**
   * Its turn to start will come: gets ready what runs nothing of the user's. False when there is no such thing.
   */
  prepare?(): boolean
  /** What was prepared, if anything, is not used after all. Never rejects. */
  discard?(): Promise<void>
  start(context: { restart: boolean }): unknown
  /** The tasks to start between `start` and the children, in order. */
  tasks(): readonly WorkDefinition[]
  started(): unknown
  restart(): unknown
  /** Calls from other threads that are in flight may finish; queued ones are refused. */
  drain?(budget: Budget): unknown
  /** What is still in flight, for the message if the budget gives the drain up. */
  describeDrain?(): string
  stop(budget: Budget): unknown
  /** Its steps settle within the budget and its grace by themselves, and say better what overran. */
  readonly keepsBudget?: boolean
  /**
   * Lets go of what the run holds, whether or not it got as far as `start`; sees to its own end within the budget.
   * `hooksDone` is told as soon as all that the order of stop is about is over, and only what held it is yet to end.
   */
  release?(budget: Budget, hooksDone: () => void): unknown
  shutdown(): unknown

  readonly shutdownPolicy: { readonly wait: boolean; readonly timeout: Duration }
  setShutdown?(): void
  /**
   * A stop has begun or a crash was marked, in this very turn, whatever step is under way: what waits elsewhere (a
   * thread) must hear of it now, not when its turn in the order comes.
   */
  interrupted?(how: 'stopping' | 'crashed', reason: unknown, budget: Budget): void
  /** The run is over: `stopped`, or crashed with the teardown done. */
  ended?(): void

  /** Mirrors of what lives elsewhere, shown as children. */
  readonly views?: readonly ServiceView[]
  /** What goes on elsewhere, of the service and all below it; never rejects. Undefined: it goes on here. */
  describeWork?(): Promise<readonly WorkEntry[]>
  /** What is known of a teardown that went on elsewhere. */
  amendRecord?(record: TeardownRecord): TeardownRecord
  /** What is known of a start that went on elsewhere. */
  amendStartRecord?(record: StartRecord): StartRecord
}
