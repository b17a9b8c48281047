import type * as piscinaModule from 'piscina'
import type { Piscina } from 'piscina'
import type { Budget } from '../base/budget.ts'
import { importModule } from '../base/import-module.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { bulkheadError, endedError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { describe } from '../errors/describe.ts'
import { sinkLevel, writeRecord } from '../logging/sink.ts'
import { addLibrarySteps } from '../service/hooks.ts'
import { LIBRARY_CLASS } from '../service/managed.ts'
import { NODE } from '../service/node.ts'
import { Service } from '../service/service.ts'
import { inheritedExecArgv } from '../worker/exec-argv.ts'
import { libraryUrl } from '../worker/library-url.ts'
import { moduleUrl } from '../worker/module-url.ts'
import { pack, unpack } from '../wire/pack.ts'
import { tsxFor } from '../worker/tsx.ts'
import { type PoolOptions, type RunOptions, checkOptions } from './options.ts'
import { type TaskCall, type TaskLog, type TaskOutcome, plainMarshaller } from './run-task.ts'

interface Task {
  readonly call: TaskCall
  readonly transferList: readonly never[]
  readonly signal: AbortSignal | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** Stateless CPU tasks over the threads of a Piscina, as a Service: refused, finished or ended when it stops. */
export class Pool extends Service {
  /** @internal */
  static override readonly [LIBRARY_CLASS]: true = true

  readonly #options: PoolOptions
  readonly #module: string
  readonly #maxQueue: number
  // A queue of our own: of Piscina's, nobody can tell the tasks that wait from those that run.
  readonly #queued = new Set<Task>()
  readonly #running = new Set<Task>()
  #piscina: Promise<Piscina> | undefined
  /** Tasks that run at once; known once the threads are there. */
  #capacity = Infinity
  #whenIdle: (() => void) | undefined

  /** @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_DURATION` */
  constructor(options: PoolOptions) {
    super({ label: options.label ?? 'Pool' })
    this.#options = options
    this.#module = moduleUrl(options.filename)
    this.#maxQueue = options.maxQueue ?? Infinity
    checkOptions(options)
    addLibrarySteps(this[NODE], {
      drain: () => this.#drain(),
      describeDrain: () => [...this.#running].map((task) => `task ${task.call.name}`).join(', '),
      release: (budget) => this.#release(budget),
    })
    this.onChange(({ state, reason }) => {
      if (state === 'stopping') this.#rejectQueued()
      if (state !== 'crashed') return
      const { path } = this.beacon
      this.#rejectAll([...this.#queued, ...this.#running], (what) => endedError(what, path, { reason }))
      // A stop may be waiting for what nobody waits for any more.
      this.#whenIdle?.()
    })
  }

  protected override async onStart(): Promise<void> {
    await this.#threads()
  }

  /**
   * Runs a task in one of the threads.
   * @throws `ERR_NOT_RUNNING`, `ERR_OVERLOADED`, `ERR_SERVICE_STOPPED`, `ERR_SERVICE_CRASHED`, `ERR_STOP_TIMEOUT`,
   * `ERR_NO_SUCH_EXPORT`, `ERR_NOT_CLONEABLE`, the signal's reason, or what the task threw
   */
  run<R = unknown>(task?: unknown, { name = 'default', signal }: RunOptions = {}): Promise<R> {
    const { path } = this.beacon
    if (this.state !== 'running' && this.state !== 'starting') {
      const parameters = { service: path, state: this.state, what: `Task ${name}` }
      return Promise.reject(bulkheadError('ERR_NOT_RUNNING', parameters))
    }
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    if (this.#queued.size >= this.#maxQueue && !this.#hasRoom) {
      const parameters = { service: path, limit: this.#maxQueue, what: `Task ${name}` }
      return Promise.reject(bulkheadError('ERR_OVERLOADED', parameters))
    }
    return new Promise<R>((resolve, reject) => {
      const { packed, transferList } = pack(task, plainMarshaller)
      const call: TaskCall = { service: path, module: this.#module, name, task: packed }
      this.#enqueue({
        call,
        transferList: transferList as readonly never[],
        signal,
        resolve: (value) => resolve(value as R),
        reject,
      })
    })
  }

  /** Tasks waiting for a thread. */
  get queueSize(): number {
    return this.#queued.size
  }

  get #hasRoom(): boolean {
    return this.#running.size < this.#capacity
  }

  #enqueue(task: Task): void {
    const { signal } = task
    if (signal) {
      const onAbort = (): void => {
        if (this.#queued.delete(task)) task.reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const { resolve, reject } = task
      const stopListening = (): void => signal.removeEventListener('abort', onAbort)
      task = {
        ...task,
        resolve: (value) => (stopListening(), resolve(value)),
        reject: (reason) => (stopListening(), reject(reason)),
      }
    }
    this.#queued.add(task)
    this.#dispatch()
  }

  #dispatch(): void {
    for (const task of this.#queued) {
      if (!this.#hasRoom) return
      this.#queued.delete(task)
      this.#running.add(task)
      void this.#execute(task)
    }
  }

  async #execute(task: Task): Promise<void> {
    const { call, transferList, signal } = task
    try {
      const piscina = await this.#threads()
      const entry = { ...call, logLevel: sinkLevel(), tsx: tsxFor(this.#module), run: RUN_TASK }
      const options = { transferList: [...transferList], ...(signal ? { signal } : {}) }
      const outcome = (await piscina.run(entry, options)) as TaskOutcome
      if ('thrown' in outcome) task.reject(decodeError(outcome.thrown))
      else task.resolve(unpack(outcome.value, plainMarshaller))
    } catch (error) {
      task.reject(signal?.aborted ? signal.reason : this.#translate(error, call.name))
    } finally {
      this.#running.delete(task)
      if (this.#running.size === 0) this.#whenIdle?.()
      this.#dispatch()
    }
  }

  #threads(): Promise<Piscina> {
    this.#piscina ??= this.#makeThreads()
    return this.#piscina
  }

  async #makeThreads(): Promise<Piscina> {
    const { Piscina } = (await importModule('piscina')) as typeof piscinaModule
    const {
      filename: _ours,
      label: _label,
      maxQueue: _queue,
      idleTimeout = 0,
      execArgv,
      ...rest
    } = this.#options
    const flags = execArgv ?? inheritedExecArgv()
    const piscina = new Piscina({
      ...rest,
      filename: TASK_ENTRY,
      idleTimeout: Math.min(toMilliseconds(idleTimeout), 2 ** 31 - 1),
      maxQueue: Infinity,
      ...(flags ? { execArgv: [...flags] } : {}),
    })
    piscina.on('error', (error: unknown) => this.#onThreadError(piscina, error))
    // A task may post to its parent, too: any value at all.
    piscina.on('message', (message: Partial<TaskLog> | null | undefined) => {
      if (message?.bulkheadLog) writeRecord(message.bulkheadLog)
    })
    this.#capacity = piscina.maxThreads * (rest.concurrentTasksPerWorker ?? 1)
    return piscina
  }

  /** Of a thread that had no task; one that had rejects its tasks with the error. */
  #onThreadError(piscina: Piscina, error: unknown): void {
    // Piscina gives up on threads that cannot even begin: tasks would wait for ever.
    const isLost = piscina.threads.length === 0 && (piscina.minThreads > 0 || this.#running.size > 0)
    if (isLost) void this.crash(this.#reasonOf(error))
    else
      this.log.exception(
        error,
        'A thread of the pool failed while it had no task; the pool goes on without it',
      )
  }

  /** Before onStop: nothing new, nothing queued; what runs may finish. */
  async #drain(): Promise<void> {
    this.#rejectQueued()
    // The tasks of a crashed pool have been rejected already.
    if (this.#running.size === 0 || this.crashed) return
    await new Promise<void>((resolve) => (this.#whenIdle = resolve))
  }

  /** What still runs has outlived the budget: its threads end with the pool. */
  async #release(budget: Budget): Promise<void> {
    const { path: service } = this.beacon
    const { timeout } = budget
    this.#rejectAll([...this.#queued, ...this.#running], (what) =>
      bulkheadError('ERR_STOP_TIMEOUT', { service, what, timeout }, { phase: 'drain' }),
    )
    // Threads that could not be made have failed the start with that error.
    const piscina = await this.#piscina?.catch(() => undefined)
    this.#piscina = undefined
    await piscina?.destroy()
  }

  #rejectQueued(): void {
    const { path } = this.beacon
    this.#rejectAll([...this.#queued], (what) => endedError(what, path))
  }

  #rejectAll(tasks: readonly Task[], reason: (what: string) => unknown): void {
    for (const task of tasks) {
      this.#queued.delete(task)
      task.reject(reason(`Task ${task.call.name}`))
    }
  }

  #translate(error: unknown, name: string): unknown {
    if (!(error instanceof Error) || error.name !== 'DataCloneError') return this.#reasonOf(error)
    const service = this.beacon.path
    const what = `The argument or result of task ${name}`
    return bulkheadError('ERR_NOT_CLONEABLE', { what, service, reason: describe(error) })
  }

  /** Why a thread has ended. */
  #reasonOf(error: unknown): unknown {
    if (!(error instanceof Error)) return error
    const service = this.beacon.path
    if ((error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return bulkheadError('ERR_THREAD_OUT_OF_MEMORY', { service }, { cause: error })
    }
    // Piscina tells of an exit in words alone.
    const [, exitCode] = /^worker exited with code: (\d+)$/.exec(error.message) ?? []
    if (exitCode === undefined) return error
    const parameters = { service, exitCode: Number(exitCode) }
    return bulkheadError('ERR_THREAD_EXITED', parameters)
  }
}

const TASK_ENTRY = new URL('../../workers/task.js', import.meta.url).href
const RUN_TASK = libraryUrl('pool/run-task')
