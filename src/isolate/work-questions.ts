import { delay } from '../base/wait.ts'
import type { Clock } from '../base/clock.ts'
import { Deferred } from '../base/deferred.ts'
import type { WorkEntry } from '../wire/facts.ts'

type Answer = readonly WorkEntry[]

/** What a place was asked about its work and has not answered yet. */
export class WorkQuestions {
  readonly #open = new Map<number, Deferred<Answer>>()
  #lastId = 0

  /** Undefined when there is no answer within so many ms. */
  async ask(
    post: (id: number) => void,
    { within, clock }: { within: number; clock: Clock },
  ): Promise<Answer | undefined> {
    const id = ++this.#lastId
    const answer = new Deferred<Answer>()
    const over = new AbortController()
    this.#open.set(id, answer)
    post(id)
    try {
      return await Promise.race([
        answer.promise,
        delay(within, { clock, signal: over.signal }).then(() => undefined),
      ])
    } finally {
      over.abort()
      this.#open.delete(id)
    }
  }

  answer(id: number, work: Answer): void {
    this.#open.get(id)?.resolve(work)
  }

  /** The place is gone, and its work with it. */
  end(): void {
    for (const question of this.#open.values()) question.resolve([])
  }
}
