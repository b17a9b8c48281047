/** Knows whether anybody handles its rejection: one that nobody does is told, and kills no thread. */
export class CallbackPromise extends Promise<unknown> {
  #handled = false

  // Derived promises are plain ones.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  constructor(outcome: Promise<unknown>, unhandled: (error: unknown) => void) {
    super((resolve, reject) => outcome.then(resolve, reject))
    super.then(undefined, (error: unknown) => {
      // A turn later, as Node does: whoever was to handle it has had the chance.
      setImmediate(() => {
        if (!this.#handled) unhandled(error)
      })
    })
  }

  // oxlint-disable-next-line unicorn/no-thenable -- the one place through which every handler comes, await included
  override then<A = unknown, B = never>(
    onFulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#handled = true
    return super.then(onFulfilled, onRejected)
  }
}
