import { type Clock, nextTurn } from '../../src/base/clock.ts'
import { nodeOf } from '../../src/service/node.ts'
import type { ServiceLike } from '../../src/service/types.ts'

interface Timer {
  readonly due: number
  readonly callback: () => void
}

// Enough for what a callback sets off: promise chains, and code that itself waits for a turn of the event loop.
const TURNS = 3

/** A clock that a test advances by hand. */
export class FakeClock implements Clock {
  #now = 0
  #wallTime: number
  readonly #timers = new Set<Timer>()

  /** @param wallTime what the wall clock shows at first, in milliseconds since the epoch */
  constructor(wallTime = Date.UTC(2024, 0, 1)) {
    this.#wallTime = wallTime
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.#wallTime
  }

  after(ms: number, callback: () => void): () => void {
    if (ms === Infinity) return () => {}
    const timer: Timer = { due: this.#now + Math.max(ms, 0), callback }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** How many timers have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size
  }

  /** Lets `ms` pass: what falls due is called in order, and what it sets off runs before the next. */
  async advance(ms: number): Promise<void> {
    await settle()
    const end = this.#now + ms
    for (let next = this.#nextTimer(end); next; next = this.#nextTimer(end)) {
      this.#goTo(next.due)
      this.#timers.delete(next)
      next.callback()
      await settle()
    }
    this.#goTo(end)
    await settle()
  }

  /** Moves the wall clock alone, as when somebody sets it or the machine slept. */
  shiftWallTime(ms: number): void {
    this.#wallTime += ms
  }

  #goTo(now: number): void {
    this.#wallTime += now - this.#now
    this.#now = now
  }

  // Of several that are due at once, the one that was set first.
  #nextTimer(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer
    }
    return first
  }
}

/** Lets promise chains and a few turns of the event loop run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await nextTurn()
}

/** A clock for these, on this side: a thread of theirs goes by the system's. */
export function fakeClockOf(...services: readonly ServiceLike[]): FakeClock {
  const clock = new FakeClock()
  for (const service of services) nodeOf(service).clock = clock
  return clock
}
