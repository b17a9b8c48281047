import type { Duration } from '../base/duration.ts'
import type { ServiceLog } from '../logging/types.ts'
import type { WorkDefinition } from '../schedule/metadata.ts'
import type { Lifecycle } from './lifecycle.ts'
import { runInside } from './context.ts'
import type { ServiceNode } from './node.ts'
import type { ServiceLike } from './types.ts'

export interface Hooks {
  postInit(): void
  onInitDependencies(): Iterable<ServiceLike>
  onFirstStart(): unknown
  onStart(): unknown
  onStarted(): unknown
  onStop(): unknown
  onShutdown(): unknown
  onRestart(): unknown
}

/** The author's side of a Service, as the state machine needs it. */
export interface HookOwner extends Hooks {
  readonly waitForShutdown: boolean
  readonly shutdownTimeout: Duration
  readonly lifecycleLevel: LifecycleLevel
  readonly log: ServiceLog
}

export type LifecycleLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/**
 * Steps of a stop that no author has a hook for: `drain` where calls from other threads arrive, `release` of a service
 * that holds threads.
 */
export type LibrarySteps = Pick<Lifecycle, 'drain' | 'describeDrain' | 'release'>

/** Adds steps to the stop of a Service, before it starts. */
export function addLibrarySteps(node: ServiceNode, steps: LibrarySteps): void {
  // By its shape, and not by its class: the service may be of another copy of this library.
  Object.assign(node.lifecycle as HooksLifecycle, steps)
}

const NONE: readonly never[] = []

/** A Lifecycle made of hooks. */
export class HooksLifecycle implements Lifecycle {
  readonly #owner: HookOwner
  readonly #defaults: Readonly<Record<keyof Hooks, unknown>>
  readonly #node: () => ServiceNode
  readonly tasks: () => readonly WorkDefinition[]

  /** `defaults`: the hooks as they are where the author has written none; they do nothing. */
  constructor(
    owner: HookOwner,
    defaults: Readonly<Record<keyof Hooks, unknown>>,
    node: () => ServiceNode,
    tasks: () => readonly WorkDefinition[],
  ) {
    this.#owner = owner
    this.#defaults = defaults
    this.#node = node
    this.tasks = tasks
  }

  logStep(text: string): void {
    const level = this.#owner.lifecycleLevel
    if (level !== 'silent') this.#owner.log[level](text)
  }
  problem(error: unknown, text: string): void {
    this.#owner.log.exception(error, text)
  }

  postInit(): void {
    this.#call('postInit')
  }
  dependencies(): Iterable<ServiceLike> {
    return this.#isDefault('onInitDependencies') ? NONE : this.#call('onInitDependencies')
  }
  firstStart(): unknown {
    return this.#call('onFirstStart')
  }
  start(): unknown {
    return this.#call('onStart')
  }
  started(): unknown {
    return this.#call('onStarted')
  }
  restart(): unknown {
    return this.#call('onRestart')
  }
  stop(): unknown {
    return this.#call('onStop')
  }
  shutdown(): unknown {
    return this.#call('onShutdown')
  }
  // The library's own steps: of most services there are none.
  drain: Lifecycle['drain']
  describeDrain: Lifecycle['describeDrain']
  release: Lifecycle['release']

  get shutdownPolicy(): { wait: boolean; timeout: Duration } {
    return { wait: this.#owner.waitForShutdown, timeout: this.#owner.shutdownTimeout }
  }

  #isDefault(name: keyof Hooks): boolean {
    return this.#owner[name] === this.#defaults[name]
  }

  #call<K extends keyof Hooks>(name: K): ReturnType<Hooks[K]> {
    // A default does nothing, and entering costs: the whole process from the first time on.
    if (this.#isDefault(name)) return undefined as ReturnType<Hooks[K]>
    return runInside(this.#node(), () => this.#owner[name]()) as ReturnType<Hooks[K]>
  }
}
