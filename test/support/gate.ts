/** A place in a hook or task where a test can hold it. */
export class Gate {
  /** Resolves once somebody is held here. */
  readonly reached: Promise<void>
  #arrive!: () => void
  #let!: () => void
  #fail!: (error: unknown) => void
  readonly #opened: Promise<void>

  constructor() {
    this.reached = new Promise((resolve) => (this.#arrive = resolve))
    this.#opened = new Promise((resolve, reject) => {
      this.#let = resolve
      this.#fail = reject
    })
    this.#opened.catch(() => {})
  }

  /** Resolves when the gate opens; to be awaited, or given as a hook. */
  readonly pass = (): Promise<void> => {
    this.#arrive()
    return this.#opened
  }

  readonly open = (): void => this.#let()

  /** Whoever is held gets this error. */
  readonly throw = (error: unknown): void => this.#fail(error)
}

/** Work that ends when its signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Work that never ends. */
export function forever(): Promise<never> {
  return new Promise(() => {})
}
