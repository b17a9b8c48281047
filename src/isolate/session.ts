import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Budget } from '../base/budget.ts'
import { Deferred, ignoreRejection } from '../base/deferred.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { encodeError } from '../errors/encode.ts'
import { isLine, recordOfLine } from '../logging/line.ts'
import { onSinkLevelChange, writeRecord } from '../logging/sink.ts'
import type { ServiceNode } from '../service/node.ts'
import type { StartRecord, TeardownRecord } from '../wire/records.ts'
import { SeveralErrors } from '../service/stop-steps.ts'
import type { ConnectionExit } from '../transport/connection.ts'
import type { CallOptions } from '../rpc/client.ts'
import { CallChannel } from '../rpc/call-channel.ts'
import { deathReason } from '../transport/death.ts'
import { joinRecords, joinStartRecords } from './join-records.ts'
import { Mirror } from './mirror.ts'
import { Instance } from './instance.ts'
import type { Channel } from '../handle/remote.ts'
import type { ResolvedOptions } from './options.ts'
import type { FromService, ReferenceMessage, ReplyMessage, ToService } from '../wire/messages.ts'
import type { SpawnedThread } from './spawned.ts'
import { stopRemote } from './stop-remote.ts'
import { WorkQuestions } from './work-questions.ts'
import type { RemoteStart, WorkEntry } from '../wire/facts.ts'

/** How long a thread has to say what it is doing, in ms, and as long again for each thread below it. */
const ANSWER_TIMEOUT_MS = 200

type Down = Extract<FromService, { kind: 'down' }>

export interface SessionOptions {
  /** Of the handle. */
  readonly node: ServiceNode
  readonly options: ResolvedOptions
  readonly restart: boolean
  /** A thread that was spawned before this run, if there is one. */
  takePrepared(): SpawnedThread | undefined
  /** The service in the thread has crashed, or the thread has died. */
  crashed(reason: unknown, toldToLog: boolean): void
  steer(message: Extract<FromService, { kind: 'steer' }>): void
  readonly warn: (text: string) => void
}

/** One run of an isolated service as seen from its handle: one thread, from its spawning to its end. */
export class Session implements Channel {
  readonly mirror: Mirror
  readonly #options: SessionOptions
  readonly #calls: CallChannel
  readonly #started = new Deferred()
  readonly #down = new Deferred<Down | undefined>()
  readonly #instance: Instance
  #methods: ReadonlySet<string> | undefined
  #step = 'spawn'
  #running = false
  #interrupted = false
  #uncaught: { error: unknown } | undefined
  #stopping: Promise<void> | undefined
  #stopReported = false
  #record: TeardownRecord | undefined
  #start: RemoteStart | undefined
  #downErrors: unknown[] = []
  readonly #work = new WorkQuestions()
  readonly #cleanups: (() => void)[] = []

  constructor(options: SessionOptions) {
    this.#options = options
    const { node } = options
    this.#instance = new Instance(options.options, node.clock)
    this.mirror = new Mirror(node.beacon, (error) =>
      node.lifecycle.problem(error, 'A listener of onChange failed'),
    )
    this.#calls = new CallChannel(node, this.#instance.outbox)
    ignoreRejection(this.#started.promise)
  }

  get threadId(): number | undefined {
    return this.#instance.dead ? undefined : this.#instance.threadId
  }

  async start(): Promise<void> {
    const { node, options } = this.#options
    const { startTimeout } = options
    const cancelTimer = node.clock.after(startTimeout, () => {
      const service = node.beacon.path
      const phase = this.#step
      this.#instance.terminate()
      this.#started.reject(
        bulkheadError('ERR_START_TIMEOUT', { service, timeout: startTimeout, phase }, { service, phase }),
      )
    })
    try {
      this.#spawn().catch((error: unknown) => this.#started.reject(error))
      await this.#started.promise
    } catch (error) {
      // A stop or a crash came first and has its own end of the thread: the steps of start just come to rest.
      if (!this.#interrupted) throw error
    } finally {
      cancelTimer()
    }
  }

  get methods(): ReadonlySet<string> | undefined {
    return this.#methods
  }

  /** A port that leads straight to the service, past this thread. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    if (this.#instance.dead) port2.close()
    else this.#instance.post({ kind: 'connect', port: port2 } satisfies ToService, [port2 as never])
    return port1
  }

  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return this.#calls.call(method, args, options)
  }

  /** A stop has begun or a crash was marked on this side, in this turn. */
  interrupt(how: 'stopping' | 'crashed', reason: unknown, budget: Budget): void {
    this.#interrupted = true
    if (how === 'crashed') {
      this.#post({ kind: 'crash', reason: encodeError(reason) })
      this.#refuseCalls()
    }
    // Before it runs there is no order to keep: what is being started is told at once.
    if (!this.#running) ignoreRejection(this.#askToStop(budget))
  }

  setShutdown(): void {
    this.#post({ kind: 'set-shutdown' })
  }

  steerJoined(): void {
    this.#post({ kind: 'steer-joined' })
  }

  /** The step of the stop: throws what was met over there; settles within the budget and its grace. */
  stop(budget: Budget): Promise<void> {
    this.#stopReported = true
    return this.#askToStop(budget)
  }

  /** The thread is gone when this resolves. */
  async release(budget: Budget, hooksDone: () => void): Promise<void> {
    // What the stop met is thrown once: here only if this is the step that asked for it.
    const reported = this.#stopReported
    let failure: unknown
    await this.#askToStop(budget).catch((error: unknown) => (failure = error))
    hooksDone()
    await this.#instance.vacate()
    this.#end()
    if (failure !== undefined && !reported) throw failure
  }

  /** The tasks and futures over there, or that the thread does not answer. */
  async describeWork(): Promise<readonly WorkEntry[]> {
    if (!this.#instance.inhabited) return []
    const { node } = this.#options
    const work = await this.#work.ask((id) => this.#post({ kind: 'describe-work', id }), {
      within: ANSWER_TIMEOUT_MS * (1 + this.mirror.threadsDeep),
      clock: node.clock,
    })
    if (work) return work
    return [{ path: '', names: [], silent: { stack: await this.#instance.stack() } }]
  }

  amendRecord(own: TeardownRecord): TeardownRecord {
    return joinRecords(own, this.#record, this.#instance)
  }

  amendStartRecord(own: StartRecord): StartRecord {
    return joinStartRecords(own, this.#start, this.#instance)
  }

  async #spawn(): Promise<void> {
    const { node, options, restart } = this.#options
    const source = await options.resolve()
    if (this.#interrupted || this.#instance.terminated) {
      throw bulkheadError(
        'ERR_STOPPED_WHILE_STARTING',
        { service: node.beacon.path },
        { service: node.beacon.path },
      )
    }
    this.#step = 'load module'
    this.#instance.open(
      { node, restart, source, references: this.#calls.references },
      this.#options.takePrepared(),
      {
        receive: (message) => this.#receive(message as FromService),
        exited: (exit) => this.#onExit(exit),
      },
    )
    if (this.#instance.isThread) {
      this.#cleanups.push(onSinkLevelChange((level) => this.#post({ kind: 'log-level', level })))
    }
  }

  #guardAgainstHang(): void {
    const { node, warn } = this.#options
    const hung = (error: Error): void => {
      this.#uncaught = { error }
    }
    this.#cleanups.push(this.#instance.guardAgainstHang(() => node.beacon.path, { warn, hung }))
  }

  #askToStop(budget: Budget): Promise<void> {
    this.#stopping ??= this.#stop(budget)
    return this.#stopping
  }

  async #stop(budget: Budget): Promise<void> {
    const { node, options } = this.#options
    const overrun = await stopRemote({
      instance: this.#instance,
      down: this.#down.promise,
      budget,
      stopTimeout: options.stopTimeout,
      clock: node.clock,
      threadsDeep: () => this.mirror.threadsDeep,
      service: node.beacon.path,
      phase: () => (this.#running ? 'onStop' : this.#step),
    })
    this.#refuseCalls()
    const errors = overrun ? [overrun] : this.#downErrors
    if (errors.length > 0) throw new SeveralErrors(errors)
  }

  #onExit(exit: ConnectionExit): void {
    const { node } = this.#options
    const expected = this.#instance.terminated || this.#record !== undefined
    const reason = deathReason(node.beacon.path, exit, this.#uncaught)
    // Told before anyone who awaits the exit goes on: the state must say crashed by then.
    if (!expected && (this.#running || this.#interrupted)) this.#options.crashed(reason, false)
    // Whatever ended it, the steps of start must come to rest.
    this.#started.reject(reason)
    this.#end()
    this.#down.resolve(undefined)
  }

  #end(): void {
    const { node } = this.#options
    for (const cleanup of this.#cleanups.splice(0)) cleanup()
    this.#work.end()
    this.#refuseCalls()
    this.mirror.end({ crashed: node.state === 'crashed', reason: node.crashReason })
  }

  #refuseCalls(): void {
    this.#calls.refuse({ over: this.#instance.dead || this.#record !== undefined })
  }

  #post(message: ToService): void {
    this.#instance.post(message)
  }

  #receive(message: FromService | ReferenceMessage | ReplyMessage | readonly unknown[]): void {
    // Inline, what was abandoned may still speak.
    if (this.#instance.dead) return
    if (isLine(message)) {
      writeRecord(recordOfLine(message))
      return
    }
    if (!('kind' in message)) {
      this.#calls.receive(message)
      return
    }
    switch (message.kind) {
      case 'loaded':
        this.#methods = new Set(message.methods)
        break
      case 'step':
        this.#step = message.step
        // Loading may take its time: it is for startTimeout to say how much.
        if (message.step === 'start') this.#guardAgainstHang()
        break
      case 'started':
        // Now, not when start() goes on: what comes next may be a crash.
        this.#running = true
        this.#start = message.start
        this.#started.resolve()
        break
      case 'start-failed':
        this.#start = message.start
        this.#started.reject(decodeError(message.error))
        break
      case 'crashed':
        this.#options.crashed(decodeError(message.reason), true)
        break
      case 'steer':
        this.#options.steer(message)
        break
      case 'down':
        this.#downErrors = message.errors.map((error) => decodeError(error))
        this.#record = message.record
        this.#down.resolve(message)
        break
      case 'leftovers':
        this.#options.warn(
          `Its thread was kept alive after the stop by ${message.resources.join(', ')}, and has been ended`,
        )
        break
      case 'uncaught':
        this.#uncaught = { error: decodeError(message.error) }
        break
      case 'output':
        process[message.to].write(message.chunk)
        break
      case 'work':
        this.#work.answer(message.id, message.work)
        break
      case 'tree':
        this.mirror.apply(message.change)
        break
      default:
        this.#calls.receive(message)
    }
  }
}
