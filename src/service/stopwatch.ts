/** What each of some steps took that follow one another, in milliseconds; the times are given to it. */
export class Stopwatch<Step extends string> {
  readonly steps: Partial<Record<Step, number>> = {}
  #step: Step | undefined
  #from = 0

  /** From the first step to the end of the last. */
  get totalMs(): number {
    return sum(this.steps)
  }

  /** As it stands, with the step that is under way. */
  soFar(now: number): { steps: Partial<Record<Step, number>>; totalMs: number } {
    const steps = { ...this.steps }
    if (this.#step !== undefined) steps[this.#step] = this.#took(this.#step, now)
    return { steps, totalMs: sum(steps) }
  }

  enter(step: Step, now: number): void {
    this.end(now)
    this.#step = step
    this.#from = now
  }

  end(now: number): void {
    if (this.#step !== undefined) this.steps[this.#step] = this.#took(this.#step, now)
    this.#step = undefined
  }

  #took(step: Step, now: number): number {
    return (this.steps[step] ?? 0) + now - this.#from
  }
}

function sum(steps: Readonly<Record<string, number | undefined>>): number {
  return Object.values(steps).reduce<number>((total, ms = 0) => total + ms, 0)
}
