import type { Budget } from '../base/budget.ts'
import { Deferred, ignoreRejection } from '../base/deferred.ts'
import { bulkheadError, endedError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { encodeError } from '../errors/encode.ts'
import type { Channel } from '../handle/remote.ts'
import { type LogLine, recordOfLine } from '../logging/line.ts'
import { onSinkLevelChange, writeRecord } from '../logging/sink.ts'
import { CallChannel } from '../rpc/call-channel.ts'
import type { Offer } from '../rpc/line.ts'
import type { ServiceNode } from '../service/node.ts'
import { SeveralErrors } from '../service/stop-steps.ts'
import type { Exit, HangWatch } from '../transport/transport.ts'
import { type Location, type RemoteStart, type WorkEntry, isElsewhere } from '../wire/facts.ts'
import type { FromService, ToService } from '../wire/messages.ts'
import type { StartRecord, TeardownRecord } from '../wire/records.ts'
import { type Handlers, route } from '../wire/route.ts'
import { boot } from './boot.ts'
import { Instance } from './instance.ts'
import { joinRecords, joinStartRecords } from './join-records.ts'
import { Mirror } from './mirror.ts'
import type { ResolvedOptions } from './options.ts'
import type { PreparedPlace } from './prepared.ts'
import { publishRelayed } from './relayed-events.ts'
import { stopRemote } from './stop-remote.ts'
import { WorkQuestions } from './work-questions.ts'

/** How long a place has to say what it is doing, in ms, and as long again for each place below it. */
const ANSWER_TIMEOUT_MS = 200

/** The message of this tag. */
export type Told<T extends FromService[0]> = Extract<FromService, readonly [T, ...unknown[]]>

export interface SessionOptions {
  /** The handle's node. */
  readonly node: ServiceNode
  readonly options: ResolvedOptions
  readonly restart: boolean
  /** A place that was made before this run, if there is one. */
  readonly takePrepared: () => PreparedPlace | undefined
  /** The service has crashed, or its place has died. */
  readonly crashed: (reason: unknown, toldToLog: boolean) => void
  readonly steer: (message: Told<'steer'>) => void
  /** Something kept the place alive after the stop. */
  readonly leftovers: (resources: readonly string[]) => void
  readonly hangs: HangWatch['warn']
}

/** One run of an isolated service as seen from its handle: one place, from its making to its end. */
export class Session implements Channel {
  readonly mirror: Mirror
  readonly #options: SessionOptions
  readonly #instance: Instance
  readonly #started = new Deferred()
  readonly #down = new Deferred()
  #calls: CallChannel | undefined
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
    this.#instance = new Instance(options.options.transport, node.clock)
    this.mirror = new Mirror(node.beacon, {
      // Of what lives on this thread its own side tells.
      tells: isElsewhere(this.#instance.kind),
      problem: (error) => node.lifecycle.problem(error, 'A listener of onChange failed'),
    })
    ignoreRejection(this.#started.promise)
  }

  get location(): Location | undefined {
    return this.#instance.dead ? undefined : this.#instance.location
  }

  get methods(): ReadonlySet<string> | undefined {
    return this.#methods
  }

  async start(): Promise<void> {
    const { node, options } = this.#options
    const { startTimeout } = options
    const cancelTimer = node.clock.after(startTimeout, () => {
      const service = node.beacon.path
      const phase = this.#step
      this.#instance.terminate()
      this.#started.reject(bulkheadError('ERR_START_TIMEOUT', { service, timeout: startTimeout, phase }))
    })
    try {
      this.#open().catch((error: unknown) => this.#started.reject(error))
      await this.#started.promise
    } catch (error) {
      // A stop or a crash came first and has its own end of the place: the steps of start just come to rest.
      if (!this.#interrupted) throw error
    } finally {
      cancelTimer()
    }
  }

  connect(): Offer | undefined {
    return this.#instance.connect()
  }

  /** Called while it runs alone: the channel is there. */
  call(...call: Parameters<Channel['call']>): Promise<unknown> {
    return this.#calls!.call(...call)
  }

  /** A stop has begun or a crash was marked on this side, in this turn. */
  interrupt(how: 'stopping' | 'crashed', reason: unknown, budget: Budget): void {
    this.#interrupted = true
    if (how === 'crashed') {
      this.#post(['crash', encodeError(reason)])
      this.#refuseCalls()
    }
    // Before it runs there is no order to keep: what is being started is told at once.
    if (!this.#running) ignoreRejection(this.#askToStop(budget))
  }

  setShutdown(): void {
    this.#post(['set-shutdown'])
  }

  steerJoined(): void {
    this.#post(['steer-joined'])
  }

  /** The step of the stop: throws what was met over there; settles within the budget and its grace. */
  stop(budget: Budget): Promise<void> {
    this.#stopReported = true
    return this.#askToStop(budget)
  }

  /** The place is gone when this resolves. */
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

  /** The tasks and futures over there, or that the place does not answer. */
  async describeWork(): Promise<readonly WorkEntry[]> {
    if (!this.#instance.inhabited) return []
    const { node } = this.#options
    const work = await this.#work.ask((id) => this.#post(['describe-work', id]), {
      within: ANSWER_TIMEOUT_MS * (1 + this.mirror.placesDeep),
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

  async #open(): Promise<void> {
    const { node, options, restart, takePrepared } = this.#options
    const source = await options.resolve(node.clock)
    if (this.#interrupted || this.#instance.terminated) {
      throw bulkheadError('ERR_STOPPED_WHILE_STARTING', { service: node.beacon.path })
    }
    this.#step = 'load module'
    const spec = { ...options.spec, here: { load: source.load, handle: node } }
    const connection = this.#instance.open(spec, takePrepared(), (exit) => this.#onExit(exit))
    const calls = new CallChannel(connection, {
      clock: node.clock,
      service: () => node.beacon.path,
      problem: (error, text) => node.lifecycle.problem(error, text),
    })
    this.#calls = calls
    const handlers = { ...calls.handlers, ...this.#handlers() }
    connection.listen((message) => {
      // Inline, what was abandoned may still speak.
      if (!this.#instance.dead) route(message, handlers, { comlink: calls.reply })
    })
    try {
      boot({ node, restart, source, options, connection, calls })
    } catch (error) {
      // Nothing else is said to it: the first message that it got would be taken for the one that failed.
      this.#calls = undefined
      this.#instance.terminate()
      throw error
    }
    this.#cleanups.push(onSinkLevelChange((level) => this.#post(['log-level', level])))
  }

  #askToStop(budget: Budget): Promise<void> {
    this.#stopping ??= this.#stop(budget)
    return this.#stopping
  }

  async #stop(budget: Budget): Promise<void> {
    const { node, options } = this.#options
    const overrun = await stopRemote({
      instance: this.#instance,
      post: (message) => this.#post(message),
      down: this.#down.promise,
      budget,
      stopTimeout: options.stopTimeout,
      clock: node.clock,
      placesDeep: () => this.mirror.placesDeep,
      service: node.beacon.path,
      phase: () => (this.#running ? 'onStop' : this.#step),
    })
    this.#refuseCalls()
    const errors = overrun ? [overrun] : this.#downErrors
    if (errors.length > 0) throw new SeveralErrors(errors)
  }

  #onExit(exit: Exit): void {
    const { node } = this.#options
    const expected = this.#instance.terminated || this.#record !== undefined
    const reason = exit.reason(node.beacon.path, this.#uncaught)
    // Told before anyone who awaits the exit goes on: the state must say crashed by then.
    if (!expected && (this.#running || this.#interrupted)) this.#options.crashed(reason, false)
    // Whatever ended it, the steps of start must come to rest.
    this.#started.reject(reason)
    this.#end()
    this.#down.resolve()
  }

  #end(): void {
    const { node } = this.#options
    for (const cleanup of this.#cleanups.splice(0)) cleanup()
    this.#work.end()
    this.#refuseCalls()
    this.mirror.end({ crashed: node.state === 'crashed', reason: node.crashReason })
  }

  #refuseCalls(): void {
    const { crashReason, state, beacon } = this.#options.node
    const crash = state === 'crashed' ? { reason: crashReason } : undefined
    const reason = (what: string): Error => endedError(what, beacon.path, crash)
    this.#calls?.refuse(reason, { over: this.#instance.dead || this.#record !== undefined })
  }

  #post(message: ToService): void {
    if (!this.#instance.dead) this.#calls?.post(message)
  }

  #handlers(): Handlers<Exclude<FromService, readonly ['replies', ...unknown[]]>> {
    const { node, crashed, steer, hangs, leftovers } = this.#options
    return {
      loaded: ([, methods]) => (this.#methods = new Set(methods)),
      step: ([, step]) => {
        this.#step = step
        if (step !== 'start') return
        // Not before: loading may take its time, and it is for startTimeout to say how much.
        const service = (): string => node.beacon.path
        this.#cleanups.push(this.#instance.watch({ clock: node.clock, service, warn: hangs }))
      },
      started: ([, start]) => {
        // Now, not when start() goes on: what comes next may be a crash.
        this.#running = true
        this.#start = start
        this.#started.resolve()
      },
      'start-failed': ([, error, start]) => {
        this.#start = start
        this.#started.reject(decodeError(error))
      },
      crashed: ([, reason]) => crashed(decodeError(reason), true),
      steer,
      down: ([, errors, record]) => {
        this.#downErrors = errors.map((error) => decodeError(error))
        this.#record = record
        this.#down.resolve()
      },
      leftovers: ([, resources]) => leftovers(resources),
      uncaught: ([, error]) => (this.#uncaught = { error: decodeError(error) }),
      output: ([, to, chunk]) => process[to].write(chunk),
      work: ([, id, work]) => this.#work.answer(id, work),
      event: (event) => publishRelayed(event, node.beacon),
      tree: ([, change]) => this.mirror.apply(change),
      log: (line) => writeRecord(recordOfLine(line as LogLine)),
    }
  }
}
