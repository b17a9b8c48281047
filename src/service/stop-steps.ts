import { isPromiseLike } from '../base/deferred.ts'
import type { Budget } from '../base/budget.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from './node.ts'
import { type StartPhase, type StopStep, isStopPhase } from '../wire/records.ts'
import type { Run } from './run.ts'

/** A step that a teardown takes: one of its own, or the one of start that has to come to rest first. */
export type TeardownStep = StopStep | StartPhase

/** An error of a step. */
export interface StepError {
  readonly error: unknown
  readonly phase: TeardownStep
}

/** Thrown by a step that has met more than one. */
export class SeveralErrors {
  readonly errors: readonly unknown[]
  constructor(errors: readonly unknown[]) {
    this.errors = errors
  }
}

/** Takes the steps of one teardown, times them, and collects what they throw. */
export class StopSteps {
  readonly met: StepError[] = []
  readonly #node: ServiceNode
  readonly #run: Run
  readonly #budget: Budget

  constructor(node: ServiceNode, run: Run, budget: Budget) {
    this.#node = node
    this.#run = run
    this.#budget = budget
  }

  /**
   * Undefined when there is nothing to wait for; never rejects. `describeOverrun` is asked only if the budget gives the
   * step up.
   */
  take(phase: TeardownStep, work: () => unknown, describeOverrun?: () => string): Promise<void> | undefined {
    const from = this.#node.clock.now()
    this.#run.stop.entered(phase)
    try {
      const result = work()
      // A thenable of somebody else's may call back at once, or throw.
      if (isPromiseLike(result)) return this.#finish(phase, from, Promise.resolve(result), describeOverrun)
    } catch (error) {
      this.meet(error, phase)
    }
    this.#time(phase, from)
    return undefined
  }

  #finish(
    phase: TeardownStep,
    from: number,
    result: Promise<unknown>,
    describeOverrun: (() => string) | undefined,
  ): Promise<void> {
    return new Promise((resolve) => {
      const settled = (): void => {
        this.#time(phase, from)
        resolve()
      }
      const failed = (error: unknown): void => {
        this.meet(error, phase)
        settled()
      }
      const givenUp = (): void => {
        this.overrun(phase, describeOverrun?.() ?? phase)
        settled()
      }
      // Ending threads is no user's code: it is over soon, and nothing may go on before they are gone.
      if (this.#node.lifecycle.keepsBudget || phase === 'threadExit') result.then(settled, failed)
      else this.#budget.watch(result, { settled, failed, givenUp })
    })
  }

  meet(error: unknown, phase: TeardownStep): void {
    for (const one of error instanceof SeveralErrors ? error.errors : [error])
      this.met.push({ error: one, phase })
  }

  /** The step was given up. */
  overrun(phase: TeardownStep, what: string = phase): void {
    const service = this.#node.beacon.path
    const { timeout } = this.#budget
    this.meet(bulkheadError('ERR_STOP_TIMEOUT', { service, what, timeout }, { phase }), phase)
  }

  /** Waits for setShutdown(), `shutdownTimeout` at most. */
  async waitForShutdown(): Promise<void> {
    const node = this.#node
    const service = node.beacon.path
    const phase = 'waitForShutdown'
    let cancelTimer: (() => void) | undefined
    await this.take(phase, () => {
      const timeout = toMilliseconds(node.lifecycle.shutdownPolicy.timeout)
      const tooLate = new Promise<void>((resolve) => {
        cancelTimer = node.clock.after(timeout, () => {
          this.meet(bulkheadError('ERR_SHUTDOWN_TIMEOUT', { service, timeout }, { phase }), phase)
          resolve()
        })
      })
      return Promise.race([this.#run.stop.shutdownSet, tooLate])
    })
    cancelTimer?.()
  }

  #time(phase: TeardownStep, from: number): void {
    if (isStopPhase(phase)) this.#run.stop.took(phase, this.#node.clock.now() - from)
  }
}
