import type fs from 'node:fs'
import { createRequire } from 'node:module'
import { Budget } from '../base/budget.ts'
import type { Duration } from '../base/duration.ts'
import { fail, toMilliseconds } from '../errors/arguments.ts'
import { oneLine } from '../errors/describe.ts'
import { currentSink, setSink, sinkFor } from '../logging/sink.ts'
import type { LogSink } from '../logging/types.ts'
import { isInside } from '../service/context.ts'
import { crashNode } from '../service/crash.ts'
import { refuseWhileLoading } from '../service/loading.ts'
import { LIBRARY_CLASS } from '../service/managed.ts'
import { nodeOf } from '../service/node.ts'
import { invalidState } from '../service/start.ts'
import { startRecordOf } from '../service/start-record.ts'
import { stopNode } from '../service/stop.ts'
import type { ServiceLike, StateChange } from '../service/types.ts'
import type { ChildSpec } from '../supervisor/child.ts'
import { Supervisor, type SupervisorOptions } from '../supervisor/supervisor.ts'
import { dumpTree, stillStopping } from './dump.ts'
import { type ShutdownReport, exitCodeOf, recordSoFar, shutdownReport } from '../report/shutdown-report.ts'
import { type StartReport, startReport } from '../report/start-report.ts'
import { watchMainThread } from './watchdog.ts'
import { checkSignals, listenToProcess, signalExitCode } from './signals.ts'

// Left out by default where the system does not have it.
const DUMP_SIGNAL = process.platform === 'win32' ? false : 'SIGUSR2'

/** As long as a timer can be: it keeps the process there while the Host runs, whatever its services hold. */
const LONGEST_INTERVAL_MS = 2 ** 31 - 1

export interface HostOptions extends SupervisorOptions {
  /**
   * A pino instance or pino options: where the lines of this process and of its threads go while the Host is up.
   * @default what setLogger() was given, else pino on stdout at level `info`
   */
  logger?: Parameters<typeof sinkFor>[0]
  /**
   * How long a shutdown may take, and the teardown after a crash; a number is milliseconds. Beyond it what is still under
   * way is abandoned, or ended with its thread, and told in the report with `ERR_STOP_TIMEOUT`.
   * @default '25s'
   */
  stopTimeout?: Duration
  /** The signals that stop the Host during run(); a second one ends the process at once. @default ['SIGINT', 'SIGTERM'] */
  signals?: readonly NodeJS.Signals[]
  /**
   * The signal that has the live tree printed to stderr during run(), with what each service is doing; `false` for none.
   * @default 'SIGUSR2'; on Windows, which does not have it, false
   */
  dumpSignal?: NodeJS.Signals | false
  /**
   * How long the event loop of the main thread may stand still during run() before the stack that blocks it is written to
   * stderr, by a thread that watches it (mode's BlockingDetector); a number is milliseconds, `false` is never.
   * @default false; '5s' under `bulkhead run`
   */
  blockWarning?: Duration | false
}

/** The root of the services of a process: one Host per process, on the main thread. */
export class Host extends Supervisor {
  /** @internal */
  static override readonly [LIBRARY_CLASS]: true = true

  readonly #signals: readonly NodeJS.Signals[]
  readonly #dumpSignal: NodeJS.Signals | false
  #stopTimeout: number
  #blockWarning: number | undefined
  #sink: LogSink | undefined
  #sinkBefore: LogSink | undefined
  /** Whether run() is under way. */
  #hosting = false
  /** Nobody but the log hears of the errors of the stop under way. */
  #tellErrors = false
  #metUncaught = false
  /** Of the shutdown under way or done; all unset by a start. */
  #reason: ShutdownReport['reason'] | undefined
  #beganAt: number | undefined
  #totalMs: number | undefined
  #startReport: StartReport | undefined

  /** @throws `ERR_INVALID_DURATION`, `ERR_INVALID_ARGUMENT` */
  constructor(services: Iterable<ServiceLike | ChildSpec> = [], options: HostOptions = {}) {
    const {
      logger,
      stopTimeout = '25s',
      signals = ['SIGINT', 'SIGTERM'],
      dumpSignal = DUMP_SIGNAL,
      blockWarning,
      ...rest
    } = options
    super(services, rest)
    this.#stopTimeout = toMilliseconds(stopTimeout)
    checkSignals(signals, dumpSignal)
    this.#signals = [...new Set(signals)]
    this.#dumpSignal = dumpSignal
    if (blockWarning !== undefined) {
      this.#blockWarning = blockWarning === false ? Infinity : toMilliseconds(blockWarning)
    }
    if (logger !== undefined) this.#sink = hostSink(logger)
    this.onChange((change) => this.#changed(change))
  }

  /**
   * Starts, waits until the Host is stopped (by a signal, stop() or shutdown()) or crashes, and stops; resolves to the
   * report, also of a start that failed. Sets `process.exitCode`: 0 stopped as asked; 1 the Host crashed, the start or
   * a stop hook failed, or a service had to be abandoned or terminated. Meanwhile an uncaught error or unhandled
   * rejection crashes the Host; a second signal ends the process at once with 128 + its number.
   * @throws `ERR_INVALID_STATE` when it is up or its teardown is under way, `ERR_STARTED_WHILE_LOADING`
   */
  async run(): Promise<ShutdownReport> {
    refuseWhileLoading()
    const node = nodeOf(this)
    if (this.#hosting || node.inRun || node.restarting) throw invalidState(node, 'run')
    this.#hosting = true
    this.#metUncaught = false
    const unlisten = listenToProcess(
      {
        signals: this.#signals,
        dumpSignal: this.#dumpSignal,
        stop: (signal) => this.#stopOn(signal),
        exitNow: (signal) => this.#exitOn(signal),
        dump: () => void dumpTree(this.beacon).then((text) => process.stderr.write(`${text}\n`)),
        uncaught: (error, origin) => this.#crashOn(error, origin),
      },
      node.clock,
    )
    const alive = setInterval(() => {}, LONGEST_INTERVAL_MS)
    const stopWatching = watchMainThread(this.#blockWarning ?? Infinity)
    try {
      await this.#startAndWait()
      const report = this.#report()
      process.exitCode = this.#metUncaught ? 1 : exitCodeOf(report)
      return report
    } finally {
      clearInterval(alive)
      stopWatching()
      unlisten()
      this.#hosting = false
    }
  }

  /**
   * Stops within `stopTimeout` and resolves to the report, also when services failed to stop. From inside one of its
   * own services it resolves once the stop has begun, with what there is to report so far.
   */
  async shutdown(): Promise<ShutdownReport> {
    // From inside, stop() itself tells the log.
    if (!isInside(nodeOf(this))) this.#tellErrors = true
    try {
      await this.stop({ timeout: this.#stopTimeout })
    } catch {
      // In the report, and in the log.
    }
    return this.#report()
  }

  /** How its last start went; undefined until one is over. */
  get startReport(): StartReport | undefined {
    return this.#startReport
  }

  /**
   * What the command line overrides.
   * @internal
   */
  configure({
    stopTimeout,
    logLevel,
    sink,
    blockWarning,
  }: {
    stopTimeout?: Duration
    blockWarning?: Duration
    logLevel?: string
    sink?: LogSink
  }): void {
    if (stopTimeout !== undefined) this.#stopTimeout = toMilliseconds(stopTimeout)
    if (sink) this.#sink = sink
    if (blockWarning !== undefined) this.#blockWarning ??= toMilliseconds(blockWarning)
    if (logLevel !== undefined) (this.#sink ?? currentSink()).level = logLevel
  }

  async #startAndWait(): Promise<void> {
    const node = nodeOf(this)
    try {
      await this.start()
    } catch {
      // Told by #changed; the run is over.
    }
    while (this.started || node.restarting) {
      await this.waitUntilStopped()
      const { restarting } = node
      if (!restarting) break
      // A restart is no end, unless it fails or a stop cuts it short.
      await restarting.promise.catch(() => {})
    }
    await node.ended
    await node.down
  }

  #changed({ state, previous, reason }: StateChange): void {
    if (previous === 'starting') this.#startReport = startReport(startRecordOf(nodeOf(this)))
    if (state === 'starting') {
      this.#tellErrors = false
      this.#reason = undefined
      this.#beganAt = undefined
      this.#totalMs = undefined
      this.#useSink()
      return
    }
    if (state === 'crashed') this.#boundTeardown()
    if (state === 'stopping' || (state === 'crashed' && previous !== 'stopping'))
      this.#goDown(state, previous, reason)
  }

  /** A crash is torn down within the budget, too. */
  #boundTeardown(): void {
    const node = nodeOf(this)
    // One that went down with what is above it waits for its turn.
    if (node.awaitsTurn) return
    void stopNode(node, new Budget(node.clock, this.#stopTimeout))
  }

  #goDown(state: 'stopping' | 'crashed', previous: StateChange['state'], reason: unknown): void {
    const node = nodeOf(this)
    const { clock, down, restarting } = node
    this.#beganAt = clock.now()
    const failedStart = state === 'crashed' && previous === 'starting'
    const forRestart = restarting?.cancelled === false && state === 'stopping'
    if (!forRestart) this.#reason ??= failedStart ? 'start-failed' : state === 'crashed' ? 'crash' : 'stop'
    if (failedStart && this.#hosting && !this.#metUncaught) this.log.exception(reason, 'Failed to start')
    // First in line: those who wait for the stop see its total, and all that is logged of it goes to the Host's logger.
    void down?.then((errors) => {
      this.#totalMs = clock.now() - this.#beganAt!
      if (this.#tellErrors) for (const error of errors) this.log.exception(error, 'The stop met an error')
      this.#restoreSink()
    })
  }

  #report(): ShutdownReport {
    const node = nodeOf(this)
    const began = this.#beganAt
    return shutdownReport(recordSoFar(node), {
      reason: this.#reason ?? 'stop',
      beganAt: began ?? node.clock.now(),
      totalMs: this.#totalMs ?? (began === undefined ? 0 : node.clock.now() - began),
      budget: this.#stopTimeout,
    })
  }

  #stopOn(signal: NodeJS.Signals): void {
    this.#reason ??= signal
    void this.shutdown()
  }

  #exitOn(signal: NodeJS.Signals): void {
    const code = signalExitCode(signal)
    const held = stillStopping(nodeOf(this))
    const what = held.length > 0 ? `still stopping: ${held.join(', ')}` : 'nothing was left to stop'
    try {
      // Not imported: each thread would load what that brings along.
      const { writeSync } = createRequire(import.meta.url)('node:fs') as typeof fs
      writeSync(2, `Second signal (${signal}): exiting at once with code ${code}; ${what}\n`)
    } catch {
      // Nobody reads stderr: no reason to stay.
    }
    process.exit(code)
  }

  #crashOn(error: unknown, origin: 'uncaughtException' | 'unhandledRejection'): void {
    this.#metUncaught = true
    const what = origin === 'unhandledRejection' ? 'Unhandled rejection' : 'Uncaught error'
    this.log.exception(error, `${what} on the main thread`)
    const node = nodeOf(this)
    if (node.isUp) void crashNode(node, error, { log: false })
  }

  #useSink(): void {
    if (!this.#sink) return
    const before = setSink(this.#sink)
    if (before !== this.#sink) this.#sinkBefore = before
  }

  #restoreSink(): void {
    if (this.#sink && currentSink() === this.#sink) setSink(this.#sinkBefore)
  }
}

function hostSink(logger: NonNullable<HostOptions['logger']>): LogSink {
  if (typeof logger === 'object' && logger !== null) return sinkFor(logger)
  return fail(`The logger of a Host is a pino instance or pino options, not ${oneLine(logger)}`)
}
