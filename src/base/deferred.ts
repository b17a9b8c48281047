/** A promise with its settlers in hand. */
export class Deferred<T = void> {
  readonly promise: Promise<T>
  resolve!: (value: T | PromiseLike<T>) => void
  reject!: (reason: unknown) => void

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

/** A moment to wait for. There are many for which nobody does: its promise is made for the first who asks. */
export class Latch {
  #isOpen = false
  #deferred: Deferred | undefined

  get promise(): Promise<void> {
    if (!this.#deferred) {
      this.#deferred = new Deferred()
      if (this.#isOpen) this.#deferred.resolve()
    }
    return this.#deferred.promise
  }

  resolve(): void {
    this.#isOpen = true
    this.#deferred?.resolve()
  }
}

/** Marks a promise whose rejection is reported elsewhere, so that nobody has to await it. */
export function ignoreRejection(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => {})
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
