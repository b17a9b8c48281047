import { Service } from '../../src/service/service.ts'
import type { ServiceLike } from '../../src/service/types.ts'

export type HookName =
  | 'postInit'
  | 'onInitDependencies'
  | 'onFirstStart'
  | 'onStart'
  | 'onStarted'
  | 'onStop'
  | 'onShutdown'
  | 'onRestart'

/** What a hook of a Probe does besides being recorded; `this` is the probe. */
export type ProbeHooks = {
  [H in Exclude<HookName, 'onInitDependencies'>]?: (this: Probe) => unknown
} & {
  onInitDependencies?: (this: Probe) => Iterable<ServiceLike>
  /** Runs in the constructor. */
  init?: (this: Probe) => void
}

/** A service that tells of its hooks, with what a test wants them to do. */
export class Probe extends Service {
  readonly #add: (event: string) => void
  readonly #hooks: ProbeHooks

  constructor(
    label: string,
    add: (event: string) => void = () => {},
    hooks: ProbeHooks = {},
    children: readonly ServiceLike[] = [],
  ) {
    super({ label })
    this.#add = add
    this.#hooks = hooks
    hooks.init?.call(this)
    for (const child of children) this.addDependency(child)
  }

  #run(name: Exclude<HookName, 'onInitDependencies'>): unknown {
    this.#add(`${this.label}.${name}`)
    return this.#hooks[name]?.call(this)
  }

  protected override postInit(): void {
    this.#run('postInit')
  }
  protected override onInitDependencies(): Iterable<ServiceLike> {
    this.#add(`${this.label}.onInitDependencies`)
    return this.#hooks.onInitDependencies?.call(this) ?? []
  }
  protected override async onFirstStart(): Promise<void> {
    await this.#run('onFirstStart')
  }
  protected override async onStart(): Promise<void> {
    await this.#run('onStart')
  }
  protected override async onStarted(): Promise<void> {
    await this.#run('onStarted')
  }
  protected override async onStop(): Promise<void> {
    await this.#run('onStop')
  }
  protected override async onShutdown(): Promise<void> {
    await this.#run('onShutdown')
  }
  protected override async onRestart(): Promise<void> {
    await this.#run('onRestart')
  }
}

/** Fails with this error. */
export function throws(error: unknown): () => never {
  return () => {
    throw error
  }
}

/** A resource that tells when it is disposed. */
export function resource(name: string, add: (event: string) => void, then?: () => unknown): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      add(`dispose ${name}`)
      await then?.()
    },
  }
}

/** How a promise settled: `'ok'`, or what it was rejected with. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return 'ok'
  } catch (error) {
    return error
  }
}

/** Whether a promise settles within a few turns of the event loop. */
export async function settled(promise: Promise<unknown>, turns = 20): Promise<boolean> {
  const state = { done: false }
  const finish = (): void => {
    state.done = true
  }
  promise.then(finish, finish)
  for (let turn = 0; turn < turns && !state.done; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  return state.done
}
