/**
 * OTP's restart intensity: at most so many restarts within a span of time that slides along. A restart counts for
 * exactly `over` milliseconds.
 */
export class RestartWindow {
  readonly #maxRestarts: number
  readonly #over: number
  readonly #now: () => number
  #spentAt: number[] = []

  /**
   * @param maxRestarts how many restarts there are in any span of `over` milliseconds
   * @param now milliseconds that only go forward
   */
  constructor(maxRestarts: number, over: number, now: () => number) {
    this.#maxRestarts = maxRestarts
    this.#over = over
    this.#now = now
  }

  /** Restarts spent that still count; never more than the limit. */
  get spent(): number {
    this.#forget()
    return this.#spentAt.length
  }

  /** Spends a restart; false, and nothing is spent, when none is left. */
  spend(): boolean {
    this.#forget()
    if (this.#spentAt.length >= this.#maxRestarts) return false
    this.#spentAt.push(this.#now())
    return true
  }

  #forget(): void {
    const now = this.#now()
    const first = this.#spentAt.findIndex((at) => now - at < this.#over)
    if (first !== 0) this.#spentAt = first === -1 ? [] : this.#spentAt.slice(first)
  }
}
