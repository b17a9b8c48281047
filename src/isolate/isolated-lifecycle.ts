import { Budget } from '../base/budget.ts'
import { loggerName } from '../logging/names.ts'
import { serviceLog } from '../logging/service-log.ts'
import type { ServiceLog } from '../logging/types.ts'
import type { Lifecycle } from '../service/lifecycle.ts'
import { crashNode } from '../service/crash.ts'
import type { ServiceNode } from '../service/node.ts'
import type { StartRecord, TeardownRecord } from '../wire/records.ts'
import type { ServiceView } from '../service/types.ts'
import type { ResolvedOptions } from './options.ts'
import type { Remote } from '../handle/remote.ts'
import { Session } from './session.ts'
import { SpawnedThread } from './spawned.ts'
import type { WorkEntry } from '../wire/facts.ts'

/** A Lifecycle that is a thread, a new one for each run. */
export class IsolatedLifecycle implements Lifecycle, Remote {
  readonly keepsBudget = true
  readonly shutdownPolicy = { wait: false, timeout: Infinity }
  readonly options: ResolvedOptions
  readonly #node: () => ServiceNode
  #session: Session | undefined
  #prepared: SpawnedThread | undefined
  /** The end of the last one that was not used. */
  #discarded: Promise<void> = Promise.resolve()
  #log: ServiceLog | undefined

  constructor(options: ResolvedOptions, node: () => ServiceNode) {
    this.options = options
    this.#node = node
  }

  get label(): string {
    return this.options.label
  }
  get isolated(): boolean {
    return this.options.isolation === 'thread'
  }
  get startTimeout(): number {
    return this.options.startTimeout
  }
  get channel(): Session | undefined {
    return this.#session
  }

  get views(): readonly ServiceView[] {
    return this.#session?.mirror.children ?? []
  }

  get log(): ServiceLog {
    const node = this.#node()
    const prefix = (): string => node.owner.shortLabel
    this.#log ??= serviceLog({ name: loggerName(this.options.label), prefix, path: () => node.beacon.path })
    return this.#log
  }

  /** The real service tells its own life. */
  logStep(): void {}

  problem(error: unknown, text: string): void {
    this.log.exception(error, text)
  }

  postInit(): void {
    // Until here the graph still shows how the last run ended.
    this.#session?.mirror.clear()
    this.#session = undefined
  }
  dependencies(): [] {
    return []
  }
  firstStart(): void {}
  tasks(): [] {
    return []
  }
  started(): void {}
  restart(): void {}
  shutdown(): void {}

  async start({ restart }: { restart: boolean }): Promise<void> {
    const node = this.#node()
    const { owner } = node
    this.#session = new Session({
      node,
      options: this.options,
      restart,
      takePrepared: () => this.#takePrepared(),
      crashed: (reason, toldToLog) => void crashNode(node, reason, { log: !toldToLog }),
      steer: (message) => {
        const steered = message.verb === 'stop' ? owner.stop({ timeout: message.timeout }) : owner.restart()
        steered.catch((error: unknown) => this.problem(error, `${message.verb}() from inside met errors`))
        // A restart of the restart that this run comes of: whoever asked waits for a stop that does not come.
        if (!node.shouldStop) this.#session?.steerJoined()
      },
      warn: (text) => this.log.warn(text),
    })
    await this.#session.start()
  }

  prepare(): boolean {
    // In a run that has its thread already, or is inline.
    if (!this.isolated || (this.#session && this.#node().inRun)) return false
    try {
      this.#prepared ??= new SpawnedThread(this.options, { ahead: true })
      return true
    } catch {
      // start() meets the same, and tells.
      return false
    }
  }

  discard(): Promise<void> {
    const prepared = this.#prepared
    this.#prepared = undefined
    if (prepared) this.#discarded = prepared.discard()
    return this.#discarded
  }

  #takePrepared(): SpawnedThread | undefined {
    const prepared = this.#prepared
    this.#prepared = undefined
    // What ended it before it was told anything will show in the next, if it has to do with this service.
    return prepared?.dead ? undefined : prepared
  }

  stop(budget: Budget): Promise<void> | undefined {
    return this.#session?.stop(budget)
  }

  release(budget: Budget, hooksDone: () => void): Promise<void> | undefined {
    return this.#session?.release(budget, hooksDone)
  }

  interrupted(how: 'stopping' | 'crashed', reason: unknown): void {
    const node = this.#node()
    this.#session?.interrupt(how, reason, (node.run.budget ??= new Budget(node.clock)))
  }

  setShutdown(): void {
    this.#session?.setShutdown()
  }

  async describeWork(): Promise<readonly WorkEntry[]> {
    return (await this.#session?.describeWork()) ?? []
  }

  amendStartRecord(record: StartRecord): StartRecord {
    // The session may be one of an earlier run.
    const session = record.outcome === 'not-started' ? undefined : this.#session
    return session?.amendStartRecord(record) ?? { ...record, isolation: this.options.isolation }
  }

  amendRecord(record: TeardownRecord): TeardownRecord {
    const session = record.outcome === 'not-started' ? undefined : this.#session
    return session?.amendRecord(record) ?? { ...record, isolation: this.options.isolation }
  }
}
