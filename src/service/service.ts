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
import type { ServiceLike, ServiceOptions } from './types.ts'
import { type WaitOptions, type WaitResult, type Work, type WorkResults, waitFor } from './wait.ts'
import { addWork } from './work.ts'

/**
 * Something that starts, stops, restarts and crashes. Extend it, write the hooks you need, and host it inline or, with
 * `isolate()`, in a thread of its own. The order of the hooks is that of Python's mode.
 */
export abstract class Service extends ManagedService {
  /** @internal */
  static override readonly [LIBRARY_CLASS]: true = true
  /** The `import.meta.url` of the file that defines the class: what a thread loads. Inline it is not needed. */
  static readonly module?: string | URL
  /** The logger that the lines of the class's instances go to. @default one named after `module`, else after the class */
  static readonly logger?: ServiceLog

  /** Decorator of an async method that runs from the service's start until its stop. Its failure crashes the service. */
  static readonly task: typeof task = task
  /** Decorator of an async method that runs every so often, one run at a time, while the service is up. */
  static readonly timer: typeof timer = timer
  /** Decorator of an async method that runs at the times of a cron expression while the service is up. */
  static readonly crontab: typeof crontab = crontab

  /** Whether stop() waits for `setShutdown()` between its children and its futures. @default false */
  waitForShutdown = false
  /**
   * How long stop() waits for `setShutdown()` where `waitForShutdown` is set, in milliseconds or with a unit. Beyond it,
   * stop() takes its remaining steps and rejects with `ERR_SHUTDOWN_TIMEOUT`.
   * @default '60s'
   */
  shutdownTimeout: Duration = '60s'
  /** The level of the log's lines about the life cycle, such as `[L] Starting...`. @default 'info' */
  lifecycleLevel: LifecycleLevel = 'info'

  readonly #label: string
  #log: ServiceLog | undefined
  /** Works that were added while it was not up: they belong to every run. */
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

  // These stand here, and not in a class of their own, so that a service's members are known by this prototype alone.

  /** Called first in each run, a restart's included; not async. */
  protected postInit(): void {}
  /** Gives the children of this run, which are dropped at its end; not async. */
  protected onInitDependencies(): Iterable<ServiceLike> {
    return []
  }
  /** Called once per instance, before its first `onStart`. */
  protected onFirstStart(): void | Promise<void> {}
  /** Called in each start before tasks and children start. What it throws fails the start, and no stop hook follows. */
  protected onStart(): void | Promise<void> {}
  /** Called in each start once tasks and children are up. */
  protected onStarted(): void | Promise<void> {}
  /** Called in each stop, and after a crash, while tasks and children are still up. */
  protected onStop(): void | Promise<void> {}
  /** Called last in each stop, once tasks and children are down and resources disposed. */
  protected onShutdown(): void | Promise<void> {}
  /** Called in a restart between its stop and its start. */
  protected onRestart(): void | Promise<void> {}

  // ---- identity

  /** What graphs call it: the label it was given, or the name of its class. */
  get label(): string {
    return this[NODE].elsewhere?.label ?? this.#label
  }
  /** What its log lines begin with: the label, unless overridden. */
  get shortLabel(): string {
    return this.label
  }

  /** A logger with pino's methods, whose lines carry this service's name and path. */
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

  /** Aborts when this run stops or crashes; each run has another. */
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
   * Adds a child, starts it if this service is starting or running, and resolves once that has been done.
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

  /** The names of the tasks, timers, cron jobs and futures that are still running. */
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
      throw bulkheadError('ERR_INVALID_STATE', { verb: 'use a resource in', service, state })
    }
    run.resourceAdded(resource)
    return resource
  }

  #addWork(definition: WorkDefinition): void {
    addWork(this[NODE], this.#definitions, definition)
  }

  // ---- waiting

  /**
   * Resolves after `duration`, or early, without error, when the service stops or crashes; never sooner than the next
   * turn of the event loop.
   * @throws `ERR_INVALID_DURATION`
   */
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
