import { asGiven } from './context.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { StateChange } from './types.ts'

/** Those who listen to the changes of one service. */
export class ChangeListeners {
  readonly #lifecycle: Lifecycle
  readonly #listeners = new Set<(change: StateChange) => void>()
  readonly #untold: StateChange[] = []
  #telling = false

  constructor(lifecycle: Lifecycle) {
    this.#lifecycle = lifecycle
  }

  add(listener: (change: StateChange) => void): () => void {
    // Wrapped, so that a function given twice is called twice and each unsubscribes for itself; and in the context of
    // here, since it is no part of the task or hook that caused the change.
    const own = asGiven(listener)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  tell(change: StateChange): void {
    this.#untold.push(change)
    // A listener may cause the next change: all listeners hear of this one first.
    if (this.#telling) return
    this.#telling = true
    try {
      for (let next = this.#untold.shift(); next; next = this.#untold.shift()) this.#tellOne(next)
    } finally {
      this.#telling = false
    }
  }

  #tellOne(change: StateChange): void {
    for (const listener of Array.from(this.#listeners)) {
      // It may have been taken off by one before it.
      if (!this.#listeners.has(listener)) continue
      try {
        listener(change)
      } catch (error) {
        // A listener is a bystander: its fault must not stop a change of state half-way.
        this.#lifecycle.problem(error, 'A listener of onChange failed')
      }
    }
  }
}
