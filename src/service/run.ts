import { setMaxListeners } from 'node:events'
import type { Budget } from '../base/budget.ts'
import { type Deferred, Latch } from '../base/deferred.ts'
import type { WorkDefinition } from '../schedule/metadata.ts'
import { WorkSet } from './work.ts'
import type { ServiceNode } from './node.ts'
import type { StartPhase, StopPhase } from '../wire/records.ts'
import { Stopwatch } from './stopwatch.ts'

/** Everything that belongs to one run of a service, from its start to the end of its teardown. */
export class Run {
  readonly work: WorkSet
  readonly resources: (Disposable | AsyncDisposable)[] = []
  /** Tasks added during this run, before they were due. */
  readonly definitions: WorkDefinition[] = []
  readonly shutdown = new Latch()
  /** The step that start or stop is in, for messages. */
  phase = 'postInit'
  /** The step that start is in or ended in; the teardown, which may overtake an abandoned hook, leaves it alone. */
  startPhase: StartPhase = 'postInit'
  /** Of Clock.now(). */
  startedAt = 0
  readonly start = new Stopwatch<StartPhase>()
  begun = false
  /** Past `onStart`: `onStop` and `onShutdown` are owed. */
  hooksDue = false
  tasksStarted = false
  /** Children that were prepared for their start. */
  readonly prepared: ServiceNode[] = []
  reachedRunning = false
  /** Whether the crash that ended it began here. */
  crashBeganHere = false
  /** `inStart`: a step of start failed, which is no crash that others go down with. */
  crashedWith: { readonly reason: unknown; readonly inStart?: true } | undefined
  over = false
  budget: Budget | undefined
  /** The whole start(), for those who join it. */
  starting: Deferred | undefined
  /** Resolves when the steps of start have come to rest, or were given up by the teardown. */
  readonly stepsOver = new Latch()
  /** Whether the steps of start came to rest by themselves. */
  atRest = false
  /** Marked together with what is above it: its teardown began when its turn in the order came. */
  marked = false
  /** Whether the log has told of the stop already. */
  stopTold = false
  /** The teardown under way or done; resolves to the errors it met. */
  down: Promise<unknown[]> | undefined
  /** Told when nothing of it is left but the thread that it ran in. */
  hooksDone: (() => void) | undefined
  /** The stop of the sibling before it, whose thread may still be ending. */
  before: Promise<unknown> | undefined
  /** Resolves when the run is over, also while `down` is yet to come. */
  readonly ended = new Latch()
  readonly phases: Partial<Record<StopPhase, number>> = {}

  #controller: AbortController | undefined
  #ended = false
  readonly #stopBegun = new Latch()

  constructor(node: ServiceNode) {
    this.work = new WorkSet(node, this)
  }

  /** Aborts when a stop begins or it crashes. Made on demand: most services of a large tree never ask for it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      // Many sleepers and waiters at once are no leak to warn of.
      setMaxListeners(0, this.#controller.signal)
      if (this.#ended) this.#controller.abort()
    }
    return this.#controller.signal
  }

  get stopBegun(): Promise<void> {
    return this.#stopBegun.promise
  }

  /** Wakes sleepers and waiters. */
  abort(): void {
    this.#ended = true
    this.#stopBegun.resolve()
    this.#controller?.abort()
  }
}
