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

/** Marks a promise whose rejection is reported elsewhere, so that nobody has to await it. */
export function ignoreRejection(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => {})
}
