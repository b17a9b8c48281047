import type { Clock } from './clock.ts'
import { nextTurn } from './clock.ts'

/** How long the steps that remain are awaited, in all, once a budget is spent. */
const GRACE_MS = 100

interface Watcher {
  readonly settled: () => void
  readonly failed: (error: unknown) => void
  readonly givenUp: () => void
}

/**
 * The time a whole subtree has to stop. It can only get shorter. Once it is spent, what is awaited is given up at once;
 * what begins later shares one short grace, so that the remaining steps still run but cannot hold up the stop.
 */
export class Budget {
  readonly #clock: Clock
  /** What the caller asked for, in ms, for messages. */
  #timeout: number
  #spentAt: number
  #graceEndsAt: number | undefined
  /** Those who wait under this budget: called when their time is over. A timer runs only while there are any. */
  readonly #early = new Set<() => void>()
  readonly #late = new Set<() => void>()
  #cancelTimer: (() => void) | undefined
  #bounded: Set<Budget> | undefined
  #boundBy: Set<Budget> | undefined

  constructor(clock: Clock, timeout = Infinity) {
    this.#clock = clock
    this.#timeout = timeout
    this.#spentAt = clock.now() + timeout
  }

  get timeout(): number {
    return Math.round(this.#timeout)
  }

  get spent(): boolean {
    return this.#clock.now() >= this.#spentAt
  }

  /** Milliseconds left; 0 when spent. */
  remaining(): number {
    return Math.max(this.#spentAt - this.#clock.now(), 0)
  }

  /** A later caller may leave less time, never more. */
  tighten(timeout: number): void {
    this.end(this.#clock.now() + timeout, timeout)
  }

  /** `other` never has more time than this one, also when this one is tightened later. */
  bounds(other: Budget): void {
    if (other === this) return
    this.#bounded ??= new Set()
    this.#bounded.add(other)
    other.boundBy(this)
    if (this.#spentAt !== Infinity) other.end(this.#spentAt, this.#timeout)
  }

  // Between budgets, and by no private name: the other may be of another copy of this library.

  boundBy(bound: Budget): void {
    this.#boundBy ??= new Set()
    this.#boundBy.add(bound)
  }

  /** No later than this, of the clock. */
  end(spentAt: number, timeout: number): void {
    if (spentAt >= this.#spentAt) return
    this.#spentAt = spentAt
    this.#timeout = timeout
    this.#arm()
    for (const other of this.#bounded ?? []) other.end(spentAt, timeout)
  }

  /** One grace for all that has to be down by the same time, however many budgets that is. */
  graceEnd(): number {
    this.#graceEndsAt ??= Math.min(
      this.#clock.now() + GRACE_MS,
      ...Array.from(this.#boundBy ?? [], (bound) => (bound.spent ? bound.graceEnd() : Infinity)),
    )
    return this.#graceEndsAt
  }

  /** True once `work` has settled (rejects as it does), false when it was given up because the time was over. */
  within(work: PromiseLike<unknown>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.watch(work, { settled: () => resolve(true), failed: reject, givenUp: () => resolve(false) })
    })
  }

  /** As within(), for who has a promise to settle already: one of the watcher's functions is called, once. */
  watch(work: PromiseLike<unknown>, { settled, failed, givenUp }: Watcher): void {
    const waiters = this.spent ? this.#late : this.#early
    let over = false
    // The work or the deadline, whichever comes first: the other finds it over.
    const end = (tell: () => void): void => {
      waiters.delete(giveUp)
      if (this.#early.size + this.#late.size === 0) this.#disarm()
      if (over) return
      over = true
      tell()
    }
    const giveUp = (): void => end(givenUp)
    work.then(
      () => end(settled),
      (error: unknown) => end(() => failed(error)),
    )
    if (waiters === this.#late && this.#clock.now() >= this.graceEnd()) {
      // Work that needs no real time still counts as done: one turn of the event loop lets it say so.
      void nextTurn().then(giveUp)
      return
    }
    waiters.add(giveUp)
    this.#arm()
  }

  #arm(): void {
    this.#disarm()
    const due = this.#early.size > 0 ? this.#spentAt : this.#late.size > 0 ? this.graceEnd() : Infinity
    if (due === Infinity) return
    this.#cancelTimer = this.#clock.after(Math.max(due - this.#clock.now(), 0), () => {
      for (const giveUp of this.spent ? [...this.#early] : []) giveUp()
      if (this.#graceEndsAt !== undefined && this.#clock.now() >= this.#graceEndsAt) {
        for (const giveUp of Array.from(this.#late)) giveUp()
      }
      this.#arm()
    })
  }

  #disarm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}
