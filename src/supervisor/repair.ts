import type { Clock } from '../base/clock.ts'
import { ignoreRejection } from '../base/deferred.ts'
import type { Slot } from './child.ts'

/**
 * What is left to do about one or more crashes that a strategy treats together. Plans are only ever added to it, so a
 * crash in the middle of it widens it at once, and the runner takes whatever step is next.
 */
export class Repair {
  /**
   * The child it is for. Undefined for strategies that act on several: they have one repair at a time, which waits until
   * the supervisor is running.
   */
  readonly only: Slot | undefined
  /** To be stopped, or to be joined in their teardown, before anything is started. */
  readonly stop = new Set<Slot>()
  readonly start = new Set<Slot>()
  /** The children whose crash it is about, and what they crashed with; in order. */
  readonly causes = new Map<Slot, unknown>()
  /** What made the supervisor act last. */
  reason: unknown
  /** Not before this time on the supervisor's clock is anything started. */
  dueAt = 0
  /** Whether listeners know of the start phase that is next or under way. */
  announced = false
  /** The start under way. */
  current: { readonly slot: Slot } | undefined

  #wake: (() => void) | undefined
  #giveWay: (() => void) | undefined

  constructor(only: Slot | undefined) {
    this.only = only
  }

  has(slot: Slot): boolean {
    return this.stop.has(slot) || this.start.has(slot)
  }

  /** Whether it is starting this child, and is to go on with that. */
  isStarting(slot: Slot): boolean {
    return this.current?.slot === slot && this.start.has(slot) && !this.stop.has(slot)
  }

  /** The child is running. */
  isUp(slot: Slot): void {
    if (this.stop.has(slot)) return
    this.start.delete(slot)
    this.wake()
  }

  widen(plan: { stop: readonly Slot[]; start: readonly Slot[] }): void {
    for (const slot of plan.stop) this.stop.add(slot)
    for (const slot of plan.start) this.start.add(slot)
    // A start that is to be undone is not waited for; any other is not disturbed.
    if (this.current && this.stop.has(this.current.slot)) this.#giveWay?.()
    this.wake()
  }

  forget(slot: Slot): void {
    this.stop.delete(slot)
    this.start.delete(slot)
    this.causes.delete(slot)
    if (this.current?.slot === slot) this.#giveWay?.()
    this.wake()
  }

  /** Ends whatever it waits for. */
  interrupt(): void {
    this.#giveWay?.()
    this.wake()
  }

  /** Ends a pause. */
  wake(): void {
    this.#wake?.()
  }

  /** Resolves after `ms` milliseconds or when woken. */
  async pause(clock: Clock, ms = Infinity): Promise<void> {
    let cancel: (() => void) | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      cancel = clock.after(ms, resolve)
    })
    cancel?.()
    this.#wake = undefined
  }

  /** Settles as `work` does; resolves early when `work` is no longer wanted. */
  async unlessOutdated(work: Promise<void>): Promise<void> {
    ignoreRejection(work)
    const outdated = new Promise<void>((resolve) => (this.#giveWay = resolve))
    try {
      await Promise.race([work, outdated])
    } finally {
      this.#giveWay = undefined
    }
  }
}
