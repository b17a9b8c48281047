import type { Duration } from '../base/duration.ts'
import type { ServiceLog } from '../logging/types.ts'
import type { WorkDefinition } from '../schedule/metadata.ts'
import type { Body } from './body.ts'
import { runInside } from './context.ts'
import type { ServiceNode } from './node.ts'
import type { ServiceLike } from './types.ts'

/** The author's side of a Service, as the state machine needs it. */
export interface Author {
  postInit(): void
  onInitDependencies(): Iterable<ServiceLike>
  onFirstStart(): unknown
  onStart(): unknown
  onStarted(): unknown
  onStop(): unknown
  onShutdown(): unknown
  onRestart(): unknown
  readonly waitForShutdown: boolean
  readonly shutdownTimeout: Duration
  readonly lifecycleLevel: LifecycleLevel
  readonly log: ServiceLog
}

export type LifecycleLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** A Body made of hooks. */
export class HooksBody implements Body {
  readonly #author: Author
  readonly #node: () => ServiceNode
  readonly tasks: () => readonly WorkDefinition[]

  constructor(author: Author, node: () => ServiceNode, tasks: () => readonly WorkDefinition[]) {
    this.#author = author
    this.#node = node
    this.tasks = tasks
  }

  lifecycle(text: string): void {
    const level = this.#author.lifecycleLevel
    if (level !== 'silent') this.#author.log[level](text)
  }
  problem(error: unknown, text: string): void {
    this.#author.log.exception(error, text)
  }

  postInit(): void {
    this.#inside(() => this.#author.postInit())
  }
  dependencies(): Iterable<ServiceLike> {
    return this.#inside(() => this.#author.onInitDependencies())
  }
  firstStart(): unknown {
    return this.#inside(() => this.#author.onFirstStart())
  }
  start(): unknown {
    return this.#inside(() => this.#author.onStart())
  }
  started(): unknown {
    return this.#inside(() => this.#author.onStarted())
  }
  restart(): unknown {
    return this.#inside(() => this.#author.onRestart())
  }
  stop(): unknown {
    return this.#inside(() => this.#author.onStop())
  }
  shutdown(): unknown {
    return this.#inside(() => this.#author.onShutdown())
  }
  /** Set where calls from other threads arrive. */
  drain: Body['drain']
  describeDrain: Body['describeDrain']
  /** Set by a service that holds threads. */
  release: Body['release']

  get shutdownPolicy(): { wait: boolean; timeout: Duration } {
    return { wait: this.#author.waitForShutdown, timeout: this.#author.shutdownTimeout }
  }

  #inside<T>(hook: () => T): T {
    return runInside(this.#node(), hook)
  }
}
