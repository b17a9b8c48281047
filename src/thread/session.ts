import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Budget } from '../base/budget.ts'
import { Deferred, ignoreRejection } from '../base/deferred.ts'
import { delay } from '../base/wait.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { encodeError } from '../errors/encode.ts'
import { onSinkLevelChange, writeRecord } from '../logging/sink.ts'
import type { WorkEntry } from '../service/describe-work.ts'
import type { ServiceNode } from '../service/node.ts'
import type { TeardownRecord } from '../service/record.ts'
import { SeveralErrors } from '../service/stop.ts'
import type { Carrier, CarrierExit } from './carrier.ts'
import type { CallOptions } from './client.ts'
import { Conversation } from './conversation.ts'
import { deathReason } from './death.ts'
import { guardAgainstHang } from './hang.ts'
import { joinRecords } from './join-records.ts'
import { Mirror } from './mirror.ts'
import type { Channel } from './remote.ts'
import type { ResolvedOptions } from './options.ts'
import type { FromService, LinkMessage, ReplyMessage, ToService } from './protocol.ts'
import { type Pulse, makePulse } from './pulse.ts'
import { spawn } from './spawn.ts'
import { stackWithin } from './stack.ts'
import { WorkQuestions } from './work-questions.ts'

/** Beyond its deadline, how long a thread has to say how far it came, in ms: its own grace and the way, for each thread below it too. */
const LAST_WORD = 150
/** How long the stack of a thread that does not answer may be waited for, in ms: quiet machines need 30 to 100. */
const STACK_WITHIN = 300
/** How long a thread has to say what it is doing, in ms, and as long again for each thread below it. */
const ANSWER_WITHIN = 200
/** How long a thread that is done may take to end, in ms, before it is ended. */
const EXIT_WITHIN = 1000

type Down = Extract<FromService, { kind: 'down' }>

export interface SessionOptions {
  /** Of the handle. */
  readonly node: ServiceNode
  readonly options: ResolvedOptions
  readonly restart: boolean
  /** The service in the thread has crashed, or the thread has died. */
  crashed(reason: unknown, toldToLog: boolean): void
  steer(message: Extract<FromService, { kind: 'steer' }>): void
  readonly warn: (text: string) => void
}

/** One run of an isolated service as seen from its handle: one thread, from its spawning to its end. */
export class Session implements Channel {
  readonly mirror: Mirror
  readonly #options: SessionOptions
  readonly #talk: Conversation
  readonly #started = new Deferred()
  readonly #down = new Deferred<Down | undefined>()
  readonly #exited = new Deferred<CarrierExit>()
  #carrier: Carrier | undefined
  #methods: ReadonlySet<string> | undefined
  #step = 'spawn'
  #running = false
  #interrupted = false
  /** Ended by us: how it ends is no news. */
  #terminated = false
  #dead = false
  #uncaught: { error: unknown } | undefined
  #stopping: Promise<void> | undefined
  #stopReported = false
  #record: TeardownRecord | undefined
  #exitMs = 0
  #threadId: number | undefined
  #pulse: Pulse | undefined
  #downErrors: unknown[] = []
  readonly #work = new WorkQuestions()
  readonly #cleanups: (() => void)[] = []

  constructor(options: SessionOptions) {
    this.#options = options
    const { node } = options
    const post = (message: unknown, transferList?: readonly never[]): void =>
      this.#carrier?.post(message, transferList)
    this.mirror = new Mirror(node.beacon, (error) =>
      node.body.problem(error, 'A listener of onChange failed'),
    )
    this.#talk = new Conversation(node, post)
    ignoreRejection(this.#started.promise)
  }

  get threadId(): number | undefined {
    return this.#dead ? undefined : this.#carrier?.threadId
  }

  async start(): Promise<void> {
    const { node, options } = this.#options
    const { startTimeout } = options
    const cancelTimer = node.clock.after(startTimeout, () => {
      const service = node.beacon.path
      const phase = this.#step
      this.#terminate()
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
    if (this.#dead) port2.close()
    else this.#carrier?.post({ kind: 'connect', port: port2 } satisfies ToService, [port2])
    return port1
  }

  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return this.#talk.call(method, args, options)
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
  async release(budget: Budget): Promise<void> {
    // What the stop met is thrown once: here only if this is the step that asked for it.
    const reported = this.#stopReported
    let failure: unknown
    await this.#askToStop(budget).catch((error: unknown) => (failure = error))
    const { clock } = this.#options.node
    const from = clock.now()
    if (this.#carrier && !this.#dead) {
      await this.#raceExit(this.#terminated ? Infinity : EXIT_WITHIN)
      if (!this.#dead) {
        this.#terminate()
        await this.#exited.promise
      }
    }
    this.#exitMs = clock.now() - from
    this.#end()
    if (failure !== undefined && !reported) throw failure
  }

  /** The tasks and futures over there, or that the thread does not answer. */
  async describeWork(): Promise<readonly WorkEntry[]> {
    if (this.#dead || !this.#carrier) return []
    const { node, options } = this.#options
    const work = await this.#work.ask((id) => this.#post({ kind: 'describe-work', id }), {
      within: ANSWER_WITHIN * (1 + this.mirror.threadsDeep),
      clock: node.clock,
    })
    if (work) return work
    const threadId = options.isolation === 'thread' ? this.#threadId : undefined
    const stack = threadId === undefined ? undefined : await stackWithin(threadId, STACK_WITHIN)
    return [{ path: '', names: [], silent: { stack } }]
  }

  amendRecord(own: TeardownRecord): TeardownRecord {
    const terminated = this.#terminated
    const { isolation } = this.#options.options
    const thread = isolation === 'thread' ? { threadId: this.#threadId, exitMs: this.#exitMs } : undefined
    return joinRecords(own, this.#record, { terminated, isolation, thread })
  }

  async #spawn(): Promise<void> {
    const { node, options, restart } = this.#options
    const source = await options.resolve()
    if (this.#interrupted || this.#terminated) {
      throw bulkheadError(
        'ERR_STOPPED_WHILE_STARTING',
        { service: node.beacon.path },
        { service: node.beacon.path },
      )
    }
    this.#step = 'load module'
    const receive = (message: unknown): void => this.#receive(message as FromService)
    const pulse = options.isolation === 'thread' ? makePulse(options.pulse) : undefined
    this.#carrier = spawn({ node, options, restart, source, link: this.#talk.link, pulse, receive })
    this.#threadId = this.#carrier.threadId
    if (options.isolation === 'thread') {
      this.#cleanups.push(onSinkLevelChange((level) => this.#post({ kind: 'log-level', level })))
    }
    this.#pulse = pulse
    void this.#carrier.exited.then((exit) => this.#onExit(exit))
  }

  #guardAgainstHang(): void {
    const { node, options, warn } = this.#options
    if (!this.#pulse || this.#threadId === undefined) return
    const stop = guardAgainstHang({
      pulse: this.#pulse,
      limits: options.pulse,
      clock: node.clock,
      threadId: this.#threadId,
      service: () => node.beacon.path,
      warn,
      hung: (reason) => {
        this.#uncaught = { error: reason }
        this.#carrier?.terminate()
      },
    })
    this.#cleanups.push(stop)
  }

  #askToStop(budget: Budget): Promise<void> {
    this.#stopping ??= this.#stop(budget)
    return this.#stopping
  }

  async #stop(budget: Budget): Promise<void> {
    const { node, options } = this.#options
    const own = new Budget(node.clock, options.stopTimeout)
    budget.lead(own)
    if (this.#carrier && !this.#dead && !this.#terminated) {
      this.#post({ kind: 'stop', timeout: Math.min(own.remaining(), 2 ** 31) })
      const ended = Promise.race([this.#down.promise, this.#exited.promise])
      if (!(await own.within(ended))) {
        // Its own deadline is the same one; this reaches a thread whose deadline was shortened since.
        this.#post({ kind: 'stop', timeout: 0 })
        const silent = new AbortController()
        await Promise.race([
          ended,
          delay(LAST_WORD * (1 + this.mirror.threadsDeep), { clock: node.clock, signal: silent.signal }),
        ])
        silent.abort()
        if (!this.#record && !this.#dead) await this.#giveUp(own)
      }
    }
    this.#refuseCalls()
    const errors = this.#downErrors
    if (errors.length > 0) throw new SeveralErrors(errors)
  }

  async #giveUp(budget: Budget): Promise<void> {
    const service = this.#options.node.beacon.path
    const phase = this.#running ? 'onStop' : this.#step
    const stack =
      this.#options.options.isolation === 'thread' && this.#threadId !== undefined
        ? await stackWithin(this.#threadId, STACK_WITHIN)
        : undefined
    const where = stack === undefined ? '' : `, in:\n${stack}\nIt`
    const what = `its thread, which did not answer and has been ended${where}`
    this.#terminate()
    await this.#exited.promise
    this.#downErrors = [
      bulkheadError('ERR_STOP_TIMEOUT', { service, what, timeout: budget.timeout }, { service, phase }),
    ]
  }

  #terminate(): void {
    this.#terminated = true
    // Inline nothing else ends its tasks.
    if (this.#options.options.isolation === 'inline') this.#post({ kind: 'stop', timeout: 0 })
    this.#carrier?.terminate()
    if (!this.#carrier) this.#dead = true
  }

  async #raceExit(ms: number): Promise<void> {
    const { clock } = this.#options.node
    const done = new AbortController()
    await Promise.race([this.#exited.promise, delay(ms, { clock, signal: done.signal })])
    done.abort()
  }

  #onExit(exit: CarrierExit): void {
    const { node } = this.#options
    this.#dead = true
    const expected = this.#terminated || this.#record !== undefined
    const reason = deathReason(node.beacon.path, exit, this.#uncaught)
    // Told before anyone who awaits the exit goes on: the state must say crashed by then.
    if (!expected && (this.#running || this.#interrupted)) this.#options.crashed(reason, false)
    // Whatever ended it, the steps of start must come to rest.
    this.#started.reject(reason)
    this.#end()
    this.#down.resolve(undefined)
    this.#exited.resolve(exit)
  }

  #end(): void {
    const { node } = this.#options
    for (const cleanup of this.#cleanups.splice(0)) cleanup()
    this.#work.end()
    this.#refuseCalls()
    this.mirror.end({ crashed: node.state === 'crashed', reason: node.crashReason })
  }

  #refuseCalls(): void {
    this.#talk.refuse({ over: this.#dead || this.#record !== undefined })
  }

  #post(message: ToService): void {
    if (!this.#dead) this.#carrier?.post(message)
  }

  #receive(message: FromService | LinkMessage | ReplyMessage): void {
    // Inline, what was abandoned may still speak.
    if (this.#dead) return
    if (!('kind' in message)) {
      this.#talk.receive(message)
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
        this.#started.resolve()
        break
      case 'start-failed':
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
      case 'log':
        writeRecord(message.record)
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
        this.#talk.receive(message)
    }
  }
}
