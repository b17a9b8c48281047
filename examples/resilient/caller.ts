import { setTimeout as pause } from 'node:timers/promises'

/** A call that is under way, and what it has to resolve to. */
export interface Question {
  readonly answer: Promise<unknown>
  readonly right: unknown
}

/** Asks one service again and again, and counts what it gets. */
export class Caller {
  readonly #ask: () => Question
  served = 0
  rejected = 0
  wrong = 0
  unanswered = 0

  constructor(ask: () => Question) {
    this.#ask = ask
  }

  /** Resolves when it has been told to stop and its last call is answered. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#call()
      await pause(2)
    }
  }

  async #call(): Promise<void> {
    this.unanswered++
    try {
      const { answer, right } = this.#ask()
      if ((await answer) === right) this.served++
      else this.wrong++
    } catch {
      this.rejected++
    } finally {
      this.unanswered--
    }
  }
}
