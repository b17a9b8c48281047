import { Budget } from '../base/budget.ts'
import type { Clock } from '../base/clock.ts'
import { Latch } from '../base/deferred.ts'
import { type StartPhase, type StopPhase, type StopStep, isStopPhase } from '../wire/records.ts'
import type { StepsObserver } from './observer.ts'
import { type Stages, checkStage } from './state.ts'

/**
 * How far the teardown of a run has come. Between the last two the change to `stopped` is told: a listener may start the
 * next run already.
 */
const STAGES = { none: 0, scheduled: 1, underWay: 2, over: 3, told: 4 } as const satisfies Stages

/**
 * What the teardown comes of: a stop of its own; its turn among what went down together with what is above it; a crash
 * that began here or below; a step of start that failed.
 */
export type StopCause = 'asked' | 'turn' | 'crash' | 'failed start'

/** What the stop of one run has come to, be it asked for or that of a crash. The verbs tell it what happened. */
export class StopProgress {
  #stage: number = STAGES.none
  #cause: StopCause | undefined
  #step: StopStep | StartPhase | undefined
  #budget: Budget | undefined
  #down: Promise<unknown[]> | undefined
  #hooksDone: (() => void) | undefined
  #before: Promise<unknown> | undefined
  #observer: StepsObserver<StopPhase> | undefined
  readonly #times: Partial<Record<StopPhase, number>> = {}
  readonly #shutdown = new Latch()
  readonly #ended = new Latch()

  /** The teardown under way or done, or undefined while it is to come; resolves to the errors it met. */
  get down(): Promise<unknown[]> | undefined {
    return this.#down
  }
  /** Whether the run is over: the state is about to say so, or does. */
  get over(): boolean {
    return this.#stage >= STAGES.over
  }
  /** Resolves when the run is over and all have been told, also while `down` is yet to come. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Whether the log has told of the stop before its teardown. */
  get isTold(): boolean {
    return this.#cause === 'asked'
  }
  /** Marked together with what is above it: its teardown began when its turn in the order came. */
  get cameInTurn(): boolean {
    return this.#cause === 'turn'
  }

  /** The step that it is in or ended in, which may be the one of start that it waits for. */
  get step(): StopStep | StartPhase | undefined {
    return this.#step
  }
  /** What the steps took so far, in milliseconds. */
  get times(): Readonly<Partial<Record<StopPhase, number>>> {
    return this.#times
  }

  /** The stop of the sibling before it, whose thread may still be ending. */
  get before(): Promise<unknown> | undefined {
    return this.#before
  }
  /** Resolves at setShutdown(). */
  get shutdownSet(): Promise<void> {
    return this.#shutdown.promise
  }

  /** The budget of its teardown; without a limit when nobody gave one. */
  budgetFor(clock: Clock): Budget {
    return (this.#budget ??= new Budget(clock))
  }

  /** Somebody wants it down within `budget`, also when that is tightened later; it may have less already. */
  wantedWithin(budget: Budget): void {
    if (this.#budget) budget.bounds(this.#budget)
    else this.#budget = budget
  }

  /** What is above it stops within `budget`, and it with that, unless somebody gave it one of its own. */
  interruptedWithin(budget: Budget): void {
    this.#budget ??= budget
  }

  /** Who wants to know of it, if anybody does. */
  get observer(): StepsObserver<StopPhase> | undefined {
    return this.#observer
  }

  /** The teardown will begin; assigned before its first step, so that whoever stops it meanwhile joins it. */
  scheduled(cause: StopCause, down: Promise<unknown[]>): void {
    this.#goTo(STAGES.scheduled)
    this.#cause = cause
    this.#down = down
  }

  began(observer?: StepsObserver<StopPhase>): void {
    this.#goTo(STAGES.underWay)
    this.#observer = observer
  }

  entered(step: StopStep | StartPhase): void {
    this.#step = step
    if (isStopPhase(step)) this.#observer?.entered(step)
  }

  took(phase: StopPhase, ms: number): void {
    this.#times[phase] = (this.#times[phase] ?? 0) + ms
  }

  /** Its turn comes while the one before it may still be about to end its thread. */
  turnCame(before: Promise<unknown> | undefined): void {
    this.#before = before
  }

  /** Resolves when nothing of it is left but the thread that it ran in. */
  untilHooksDone(): Promise<void> {
    return new Promise((resolve) => (this.#hooksDone = resolve))
  }

  hooksDone(): void {
    this.#hooksDone?.()
  }

  shutdownWasSet(): void {
    this.#shutdown.resolve()
  }

  runIsOver(): void {
    this.#goTo(STAGES.over)
  }

  allWereTold(): void {
    this.#goTo(STAGES.told)
    this.#ended.resolve()
  }

  #goTo(stage: number): void {
    checkStage('a stop', STAGES, this.#stage, stage)
    this.#stage = stage
  }
}
