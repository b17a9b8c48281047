import { fail } from '../errors/arguments.ts'
import { Deferred, ignoreRejection } from '../base/deferred.ts'
import { bulkheadError, isAbortError } from '../errors/bulkhead-error.ts'
import type { WorkDefinition } from '../schedule/metadata.ts'
import { cronTicks, intervalTicks } from '../schedule/ticks.ts'
import { runInside } from './context.ts'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'

interface Entry {
  readonly name: string
  readonly controller: AbortController | undefined
}

/** The tasks and futures of one run: started here, cancelled in reverse, gathered at the end. */
export class WorkSet {
  readonly #node: ServiceNode
  readonly #run: Run
  #begun = 0
  /** Made for the first: most services of a large tree have none. */
  #entries: Set<Entry> | undefined
  #cancelled = false
  #closed = false
  #settled: Deferred | undefined

  constructor(node: ServiceNode, run: Run) {
    this.#node = node
    this.#run = run
  }

  /** How many there have been. */
  get begun(): number {
    return this.#begun
  }

  /** Names of what is still running. */
  get pending(): string[] {
    return Array.from(this.#entries ?? [], (entry) => entry.name)
  }

  startTask(definition: WorkDefinition): void {
    const loop = (signal: AbortSignal): Promise<unknown> =>
      definition.kind === 'task' ? definition.run(signal) : this.#repeat(definition, signal)
    ignoreRejection(this.#begin(definition.name, loop))
  }

  /** Adopts `work`: its failure crashes the service, and the returned promise settles as it does. */
  addFuture<T>(work: PromiseLike<T> | ((signal: AbortSignal) => Promise<T>), name?: string): Promise<T> {
    if (this.#closed) {
      const { path } = this.#node.beacon
      const error = bulkheadError('ERR_INVALID_STATE', {
        verb: 'add a future to',
        service: path,
        state: this.#node.state,
      })
      if (typeof work !== 'function') ignoreRejection(work)
      const refused = Promise.reject(error)
      // It may be ignored, as any promise of addFuture; the log then tells.
      ignoreRejection(refused)
      this.#node.lifecycle.problem(error, 'Future refused')
      return refused
    }
    const promise =
      typeof work === 'function'
        ? this.#begin(name ?? (work.name || 'future'), work)
        : this.#adopt(name, work)
    ignoreRejection(promise)
    return promise
  }

  /** Aborts every signal, the newest first, and lets go of promises that cannot be cancelled. */
  cancel(): void {
    this.#cancelled = true
    for (const entry of Array.from(this.#entries ?? []).toReversed()) {
      if (entry.controller) entry.controller.abort()
      else this.#remove(entry)
    }
  }

  /** Resolves when nothing is left running; undefined when that is so already. */
  settled(): Promise<void> | undefined {
    if (!this.#entries?.size) return undefined
    this.#settled ??= new Deferred()
    return this.#settled.promise
  }

  close(): void {
    this.#closed = true
  }

  async #repeat(definition: Exclude<WorkDefinition, { kind: 'task' }>, signal: AbortSignal): Promise<void> {
    // The run's signal, not the task's: no new round begins once a stop has begun.
    const options = { clock: this.#node.clock, signal: this.#run.signal }
    const ticks =
      definition.kind === 'timer'
        ? intervalTicks(definition.every, { ...options, immediate: definition.immediate })
        : cronTicks(definition.expression, { ...options, timezone: definition.timezone })
    for await (const _tick of ticks) {
      try {
        await definition.run(signal)
      } catch (error) {
        if (definition.onError === 'crash' || this.#run.stop.over || this.#node.shouldStop) throw error
        this.#node.lifecycle.problem(error, `${definition.name} failed; it runs again when next due`)
      }
    }
  }

  #begin<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    if (this.#cancelled) controller.abort()
    // The async wrapper turns a synchronous throw into a rejection.
    const promise = runInside(this.#node, async () => work(controller.signal))
    this.#watch({ name, controller }, promise)
    return promise
  }

  #adopt<T>(name: string | undefined, work: PromiseLike<T>): Promise<T> {
    const promise = Promise.resolve(work)
    const entry: Entry = { name: name ?? 'future', controller: undefined }
    this.#watch(entry, promise)
    if (this.#cancelled) this.#remove(entry)
    return promise
  }

  #watch(entry: Entry, promise: Promise<unknown>): void {
    this.#begun += 1
    this.#entries ??= new Set()
    this.#entries.add(entry)
    promise.then(
      () => this.#remove(entry),
      (error: unknown) => {
        // The crash is marked before the entry goes: gather must not resolve in between.
        this.#failed(entry, error)
        this.#remove(entry)
      },
    )
  }

  #failed(entry: Entry, error: unknown): void {
    const ending = this.#run !== this.#node.run || this.#node.shouldStop
    if (!ending) {
      void this.#node.crash(error)
    } else if (!isAbortError(error)) {
      this.#node.lifecycle.problem(error, `${entry.name} failed while stopping`)
    }
  }

  #remove(entry: Entry): void {
    if (this.#entries?.delete(entry) && this.#entries.size === 0) {
      this.#settled?.resolve()
      this.#settled = undefined
    }
  }
}

/** A work is known by its name: one that is added later takes the place of the earlier. */
export function define(definitions: WorkDefinition[], definition: WorkDefinition): void {
  const known = definitions.findIndex((other) => other.name === definition.name)
  if (known === -1) definitions.push(definition)
  else definitions[known] = definition
}

/**
 * Adds a work to the run that is under way, or else to `lasting`, which belong to every run. One that comes once the
 * tasks have started begins at once.
 * @throws `ERR_INVALID_ARGUMENT` when a task of that name is running
 */
export function addWork(node: ServiceNode, lasting: WorkDefinition[], definition: WorkDefinition): void {
  const { run } = node
  if (!node.inRun) define(lasting, definition)
  else if (!run.start.tasksStarted) run.taskAdded(definition)
  else {
    if (run.work.pending.includes(definition.name)) {
      fail(`${node.beacon.path} already runs a task named "${definition.name}": give this one another name`)
    }
    run.work.startTask(definition)
  }
}

/** What is to be started in this run, in order; what was added to the run replaces what belongs to every run. */
export function tasksOf(node: ServiceNode, run: Run): readonly WorkDefinition[] {
  const tasks = node.lifecycle.tasks()
  if (run.definitions.length === 0 && tasks.length < 2) return tasks
  return [...new Map([...tasks, ...run.definitions].map((task) => [task.name, task])).values()]
}
