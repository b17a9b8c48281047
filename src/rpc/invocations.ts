import { Deferred } from '../base/deferred.ts'
import { decodeError } from '../errors/decode.ts'
import type { Answer } from '../wire/messages.ts'
import type { Packed } from '../wire/pack.ts'

/** Uses of what the other side has exported that it has not answered yet. Each of them settles. */
export class Invocations {
  readonly #pending = new Map<number, Deferred<unknown>>()
  readonly #ends = new WeakSet<object>()
  #last = 0
  #closedWith: (() => Error) | undefined

  /** `send` is given the number that the answer comes with; what it throws rejects the invocation. */
  begin(send: (call: number) => void): Promise<unknown> {
    if (this.#closedWith) return Promise.reject(this.#closedWith())
    const call = ++this.#last
    const outcome = new Deferred<unknown>()
    this.#pending.set(call, outcome)
    try {
      send(call)
    } catch (error) {
      this.#pending.delete(call)
      outcome.reject(error)
    }
    return outcome.promise
  }

  settle(call: number, answer: Answer, unpack: (packed: Packed) => unknown): void {
    const pending = this.#pending.get(call)
    this.#pending.delete(call)
    if (!pending) return
    if ('value' in answer) pending.resolve(unpack(answer.value))
    else if ('thrown' in answer) pending.reject(decodeError(answer.thrown))
    else pending.reject(new TypeError(answer.unclonable))
  }

  /** The other side answers no more: what waits for it rejects, and what still begins, too. False when that was so already. */
  close(reason: () => Error): boolean {
    if (this.#closedWith) return false
    this.#closedWith = () => {
      const error = reason()
      this.#ends.add(error)
      return error
    }
    for (const pending of this.#pending.values()) pending.reject(this.#closedWith())
    this.#pending.clear()
    return true
  }

  /** Whether an error only says that the other side answers no more. */
  isOfClose(error: unknown): boolean {
    return this.#ends.has(error as object)
  }
}
