import { nextTurn } from '../base/clock.ts'
import type { Duration } from '../base/duration.ts'
import { delay } from '../base/wait.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { loggerName } from '../logging/names.ts'
import { serviceLog } from '../logging/service-log.ts'
import type { ServiceLog } from '../logging/types.ts'
import {
  type CronOptions,
  type TimerOptions,
  type WorkDefinition,
  type WorkFunction,
  cronDefinition,
  crontab,
  definitionsOf,
  task,
  timer,
  timerDefinition,
} from '../schedule/metadata.ts'
import { intervalTicks } from '../schedule/ticks.ts'
import { type HookOwner, type Hooks, HooksLifecycle, type LifecycleLevel } from './hooks.ts'
import { LIBRARY_CLASS, ManagedService } from './managed.ts'
import { NODE, nodeOf } from './node.ts'
import { startChild } from './start.ts'
import type { ServiceLike } from './types.ts'
import { type WaitResult, type Work, type WorkResults, waitFor } from './wait.ts'
import { addWork } from './work.ts'

export interface ServiceOptions {
  /** For graphs and logs; the class name by default. */
  label?: string
}

export interface WaitOptions {
  /** No limit by default. */
  timeout?: Duration
}

/**
 * Something that starts, stops, restarts and crashes. Extend it, write the hooks you need, and host it inline or, with
 * `isolate()`, in a thread of its own. The order of the hooks is that of Python's mode.
 */
export abstract class Service extends ManagedService {
  /** @internal */
  static override readonly [LIBRARY_CLASS]: true = true
  /** `import.meta.url` of the file that defines the class: what a thread loads. */
  static readonly module?: string | URL
  /** The logger its lines go to; by default one named after `module`, else after the class. */
  static readonly logger?: ServiceLog

  /** Decorator: an async method that runs from start until stop. Its failure crashes the service. */
  static readonly task: typeof task = task
  /** Decorator: an async method that runs every so often. */
  static readonly timer: typeof timer = timer
  /** Decorator: an async method that runs at the times of a cron expression. */
  static readonly crontab: typeof crontab = crontab

  /** Whether stop() waits for `setShutdown()` before it gathers tasks. `false` by default. */
  waitForShutdown = false
  /** How long stop() waits for `setShutdown()`; `'60s'` by default. */
  shutdownTimeout: Duration = '60s'
  /** Level of the life-cycle lines; `'info'` by default (mode: `mundane_level`). */
  lifecycleLevel: LifecycleLevel = 'info'

  readonly #label: string
  #log: ServiceLog | undefined
  /** Tasks added while not in a run: these stay. */
  readonly #definitions: WorkDefinition[] = []

  constructor(options: ServiceOptions = {}) {
    super(
      (self: Service) =>
        new HooksLifecycle(
          self as unknown as HookOwner,
          DEFAULT_HOOKS,
          () => self[NODE],
          () => [...definitionsOf(self), ...self.#definitions],
        ),
    )
    this.#label = options.label ?? this.constructor.name
  }

  // ---- hooks

  /** Called first in each run; not async. */
  protected postInit(): void {}
  /** Children for this run; not async. */
  protected onInitDependencies(): Iterable<ServiceLike> {
    return []
  }
  /** Once per instance, before `onStart`. */
  protected onFirstStart(): void | Promise<void> {}
  /** Before tasks and children start. */
  protected onStart(): void | Promise<void> {}
  /** Once tasks and children are up. */
  protected onStarted(): void | Promise<void> {}
  /** While tasks and children are still up. */
  protected onStop(): void | Promise<void> {}
  /** Once tasks and children are down and resources disposed. */
  protected onShutdown(): void | Promise<void> {}
  /** In a restart, before it starts again. */
  protected onRestart(): void | Promise<void> {}

  // ---- identity

  get label(): string {
    return this[NODE].elsewhere?.label ?? this.#label
  }
  get shortLabel(): string {
    return this.label
  }

  /** A pino-compatible logger whose lines carry this service's name and path. */
  get log(): ServiceLog {
    if (!this.#log) {
      const { module, logger, name } = this.constructor as typeof Service
      this.#log = serviceLog({
        name: module === undefined ? name : loggerName(module),
        prefix: () => this.shortLabel,
        path: () => this.beacon.path,
        ...(logger ? { parent: logger } : {}),
      })
    }
    return this.#log
  }

  /** Aborts when this run stops or crashes. */
  get signal(): AbortSignal {
    return this[NODE].run.signal
  }

  // ---- children

  /**
   * Adds a child, which starts and stops with this service. One added during a run is dropped at its end.
   * @throws `ERR_HAS_PARENT`, `ERR_CYCLE`
   */
  addDependency<S extends ServiceLike>(child: S): S {
    this[NODE].addChild(nodeOf(child))
    return child
  }

  /**
   * Adds a child, and starts it if this service is starting or running.
   * @throws what addDependency() throws, and `ERR_START_FAILED`
   */
  async addRuntimeDependency<S extends ServiceLike>(child: S): Promise<S> {
    this.addDependency(child)
    const { state } = this[NODE]
    if (state === 'starting' || state === 'running') await startChild(nodeOf(child))
    return child
  }

  /** Stops and detaches a child. Rejects as its stop() does, detached all the same. */
  async removeDependency<S extends ServiceLike>(child: S): Promise<S> {
    const node = nodeOf(child)
    if (node.parent !== this[NODE]) return child
    try {
      await child.stop()
    } finally {
      const drop = (): void => {
        if (node.parent === this[NODE]) this[NODE].dropChild(node)
      }
      // Asked for from inside it, the stop goes on: until it is over it has its place here, and is waited for.
      if (node.inRun) void node.ended.then(drop)
      else drop()
    }
    // It may have had something ready for a start that does not come.
    await node.lifecycle.discard?.()
    return child
  }

  // ---- work

  /**
   * What `@Service.task` does, without the decorator. Added before start() it belongs to every run, added during a run
   * to that run alone. A name that is known replaces the work.
   * @throws `ERR_INVALID_ARGUMENT` when a task of that name has started already
   */
  addTask(name: string, run: (signal: AbortSignal) => Promise<void>): void {
    this.#addWork({ kind: 'task', name, run })
  }

  /**
   * What `@Service.timer` does, without the decorator.
   * @throws `ERR_INVALID_DURATION`, `ERR_INVALID_ARGUMENT`
   */
  addTimer(every: Duration, run: WorkFunction, options?: TimerOptions): void {
    this.#addWork(timerDefinition(every, run, options))
  }

  /**
   * What `@Service.crontab` does, without the decorator.
   * @throws `ERR_INVALID_ARGUMENT`
   */
  addCron(expression: string, run: WorkFunction, options?: CronOptions): void {
    this.#addWork(cronDefinition(expression, run, options))
  }

  /**
   * Adopts work: it is cancelled and gathered when the service stops, and its failure crashes the service. The promise
   * settles as the work does, and may be ignored.
   */
  addFuture<T>(work: PromiseLike<T> | ((signal: AbortSignal) => Promise<T>), name?: string): Promise<T> {
    return this[NODE].run.work.addFuture(work, name)
  }

  /** Names of tasks and futures still running. */
  pendingWork(): string[] {
    return this[NODE].run.work.pending
  }

  /**
   * Disposes `resource` at the end of this run's stop, the last one first.
   * @throws `ERR_INVALID_STATE` when the run is over
   */
  use<D extends Disposable | AsyncDisposable>(resource: D): D {
    const { run, state } = this[NODE]
    if (run.stop.over) {
      const service = this.beacon.path
      throw bulkheadError('ERR_INVALID_STATE', { verb: 'use a resource in', service, state }, { service })
    }
    run.resourceAdded(resource)
    return resource
  }

  #addWork(definition: WorkDefinition): void {
    addWork(this[NODE], this.#definitions, definition)
  }

  // ---- waiting

  /** Sleeps; ends early, without error, on stop or crash. Never sooner than the next turn of the event loop. */
  async sleep(duration: Duration): Promise<void> {
    const { clock, run } = this[NODE]
    await delay(toMilliseconds(duration), { clock, signal: run.signal })
    // A task that loops around a sleep must not starve the timers that are to end it.
    if (run.signal.aborted) await nextTurn()
  }

  /**
   * Waits until all works are done, the service stops or crashes, or the time is over; without work, until the service
   * stops. A work that rejects rejects the wait.
   */
  wait(): Promise<WaitResult<[]>>
  wait<const W extends Work | readonly Work[]>(
    work: W,
    options?: WaitOptions,
  ): Promise<WaitResult<WorkResults<W>>>
  wait(work: undefined, options?: WaitOptions): Promise<WaitResult<[]>>
  wait(work?: Work | readonly Work[], options?: WaitOptions): Promise<WaitResult<never>> {
    const works = work === undefined ? [] : isList(work) ? work : [work]
    return this.#waitFor(works, work === undefined ? undefined : works.length, options)
  }

  /** Waits until one work is done; the results of the others are undefined. */
  waitFirst<const W extends readonly Work[]>(
    work: W,
    options?: WaitOptions,
  ): Promise<WaitResult<WorkResults<W>>> {
    return this.#waitFor(work, Math.min(work.length, 1), options)
  }

  async #waitFor(
    works: readonly Work[],
    enough: number | undefined,
    { timeout = Infinity }: WaitOptions = {},
  ): Promise<WaitResult<never>> {
    const { clock, run } = this[NODE]
    const context = { signal: run.signal, clock, timeout: toMilliseconds(timeout), enough }
    return (await waitFor(works, context)) as WaitResult<never>
  }

  /** Yields 0, 1, 2, … until stopped, the first after one interval; drift-corrected; an overrun skips ticks. */
  interval(every: Duration): AsyncIterable<number> {
    const { clock, run } = this[NODE]
    return intervalTicks(toMilliseconds(every), { clock, signal: run.signal })
  }
}

/** A class of services, abstract ones included. */
export type ServiceClass = abstract new (...args: never[]) => Service

function isList(work: Work | readonly Work[]): work is readonly Work[] {
  return Array.isArray(work)
}

const { postInit, onInitDependencies, onFirstStart, onStart, onStarted, onStop, onShutdown, onRestart } =
  Service.prototype as unknown as Record<keyof Hooks, unknown>
/** As they are here, not what somebody may put in their place. */
export const DEFAULT_HOOKS = {
  postInit,
  onInitDependencies,
  onFirstStart,
  onStart,
  onStarted,
  onStop,
  onShutdown,
  onRestart,
}
