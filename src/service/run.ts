import { setMaxListeners } from 'node:events'
import { Latch } from '../base/deferred.ts'
import type { WorkDefinition } from '../schedule/metadata.ts'
import type { StartPhase, StopStep } from '../wire/records.ts'
import type { ServiceNode } from './node.ts'
import { StartProgress } from './start-progress.ts'
import { StopProgress } from './stop-progress.ts'
import { WorkSet, define } from './work.ts'

/** The crash that ended a run. */
export interface Crash {
  readonly reason: unknown
  /** Whether it began here: not what it took along, nor what a child passed up. */
  readonly beganHere: boolean
  /** Whether a step of start failed, which is no crash that others go down with. */
  readonly inStart: boolean
}

type Resource = Disposable | AsyncDisposable

/** Everything that belongs to one run of a service, from its start to the end of its teardown. */
export class Run {
  readonly start = new StartProgress()
  readonly stop = new StopProgress()
  readonly work: WorkSet

  // These are made on demand: most services of a large tree never ask for them.
  #definitions: WorkDefinition[] | undefined
  #resources: Resource[] | undefined
  #controller: AbortController | undefined
  #crash: Crash | undefined
  #isStopBegun = false
  readonly #stopBegun = new Latch()

  constructor(node: ServiceNode) {
    this.work = new WorkSet(node, this)
  }

  /** The step that start or stop is in, for messages. */
  get step(): StartPhase | StopStep {
    return this.stop.step ?? this.start.phase
  }

  /** How it crashed, if it did; also while the teardown of that is under way. */
  get crash(): Crash | undefined {
    return this.#crash
  }

  crashed(crash: Crash): void {
    this.#crash = crash
  }

  /** Aborts when a stop begins or it crashes. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      // Many sleepers and waiters at once are no leak to warn of.
      setMaxListeners(0, this.#controller.signal)
      if (this.#isStopBegun) this.#controller.abort()
    }
    return this.#controller.signal
  }

  /** Resolves when a stop begins or it crashes. */
  get stopBegun(): Promise<void> {
    return this.#stopBegun.promise
  }

  /** Wakes sleepers and waiters. */
  stopBegan(): void {
    this.#isStopBegun = true
    this.#stopBegun.resolve()
    this.#controller?.abort()
  }

  /** Tasks that were added during this run, before they were due. */
  get definitions(): readonly WorkDefinition[] {
    return this.#definitions ?? NONE
  }

  taskAdded(definition: WorkDefinition): void {
    this.#definitions ??= []
    define(this.#definitions, definition)
  }

  get hasResources(): boolean {
    return this.#resources !== undefined && this.#resources.length > 0
  }

  resourceAdded(resource: Resource): void {
    this.#resources ??= []
    this.#resources.push(resource)
  }

  /** The last one that is left, to be disposed by the caller. */
  takeResource(): Resource | undefined {
    return this.#resources?.pop()
  }
}

const NONE: readonly never[] = []
