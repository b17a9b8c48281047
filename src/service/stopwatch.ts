/** What each of some steps took that follow one another, in milliseconds; the times are given to it. */
export class Stopwatch<Step extends string> {
  readonly steps: Partial<Record<Step, number>> = {}
  /** From the first step to the end of the last. */
  totalMs = 0
  #step: Step | undefined
  #from = 0

  enter(step: Step, now: number): void {
    this.#leave(now)
    this.#step = step
  }

  end(now: number): void {
    this.#leave(now)
    this.#step = undefined
  }

  #leave(now: number): void {
    if (this.#step !== undefined) {
      const took = now - this.#from
      this.steps[this.#step] = (this.steps[this.#step] ?? 0) + took
      this.totalMs += took
    }
    this.#from = now
  }
}
