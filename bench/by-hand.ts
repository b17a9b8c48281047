/** The hooks of HookedService without a service around them, and their order called by hand: the floor. */
class Hooks {
  calls = 0
  async onFirstStart(): Promise<void> {
    this.calls += 1
  }
  async onStart(): Promise<void> {
    this.calls += 1
  }
  async onStarted(): Promise<void> {
    this.calls += 1
  }
  async onStop(): Promise<void> {
    this.calls += 1
  }
  async onShutdown(): Promise<void> {
    this.calls += 1
  }
}

/** One level: a root and what it holds. */
export class ByHand {
  readonly #root = new Hooks()
  readonly #children: readonly Hooks[]

  constructor(children: number) {
    this.#children = Array.from({ length: children }, () => new Hooks())
  }

  async start(): Promise<void> {
    await this.#root.onFirstStart()
    await this.#root.onStart()
    for (const child of this.#children) {
      await child.onFirstStart()
      await child.onStart()
      await child.onStarted()
    }
    await this.#root.onStarted()
  }

  /** `between` stands for what stops between the root's own hooks, beside the children. */
  async stop(between?: () => Promise<void>): Promise<void> {
    await this.#root.onStop()
    await between?.()
    for (const child of this.#children.toReversed()) {
      await child.onStop()
      await child.onShutdown()
    }
    await this.#root.onShutdown()
  }
}
