/** What each of some steps took that follow one another, in milliseconds; the times are given to it. */
export class Stopwatch<Step extends string> {
  readonly steps: Partial<Record<Step, number>> = {}
  /** From the first step to the end of the last. */
  totalMs = 0
  #step: Step | undefined
  #from = 0

  /** As it stands, with the step that is under way. */
  soFar(now: number): { steps: Partial<Record<Step, number>>; totalMs: number } {
    const { totalMs } = this
    const steps = { ...this.steps }
    if (this.#step === undefined) return { steps, totalMs }
    const took = now - this.#from
    return { steps: { ...steps, [this.#step]: (steps[this.#step] ?? 0) + took }, totalMs: totalMs + took }
  }

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
