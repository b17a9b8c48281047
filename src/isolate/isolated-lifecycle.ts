import type { Budget } from '../base/budget.ts'
import { loggerName } from '../logging/names.ts'
import { serviceLog } from '../logging/service-log.ts'
import type { ServiceLog } from '../logging/types.ts'
import type { Lifecycle } from '../service/lifecycle.ts'
import { crashNode } from '../service/crash.ts'
import type { ServiceNode } from '../service/node.ts'
import type { StartRecord, TeardownRecord } from '../wire/records.ts'
import type { ServiceView } from '../service/types.ts'
import { hangs } from '../observe/channels.ts'
import { contextOf } from '../observe/life.ts'
import type { ResolvedOptions } from './options.ts'
import type { Remote } from '../handle/remote.ts'
import { Session } from './session.ts'
import { PreparedPlace } from './prepared.ts'
import { preparePlace } from './transports.ts'
import type { PlaceKind, WorkEntry } from '../wire/facts.ts'

/** The life cycle of a service in a place of its own, which is a new one for each run. */
export class IsolatedLifecycle implements Lifecycle, Remote {
  readonly keepsBudget = true
  readonly shutdownPolicy = { wait: false, timeout: Infinity }
  readonly options: ResolvedOptions
  readonly #node: () => ServiceNode
  #session: Session | undefined
  #prepared: PreparedPlace | undefined
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
  get isolation(): PlaceKind {
    return this.options.transport.kind
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
      steer: ([, verb, timeout]) => {
        const steered = verb === 'stop' ? owner.stop({ timeout }) : owner.restart()
        steered.catch((error: unknown) => this.problem(error, `${verb}() from inside met errors`))
        // A restart of the restart that this run comes of: whoever asked waits for a stop that does not come.
        if (!node.shouldStop) this.#session?.steerJoined()
      },
      leftovers: (resources) =>
        this.log.warn(
          `Its ${this.isolation} was kept alive after the stop by ${resources.join(', ')}, and has been ended`,
        ),
      hangs: (forMs, stack) =>
        hangs.publish(
          { ...contextOf(node), forMs, ...(stack === undefined ? {} : { stack }) },
          { warn: (text) => this.log.warn(text) },
        ),
    })
    await this.#session.start()
  }

  prepare(): boolean {
    // In a run that has its place already.
    if (this.#session && this.#node().inRun) return false
    try {
      this.#prepared ??= this.#preparePlace()
      return this.#prepared !== undefined
    } catch {
      // start() meets the same, and tells.
      return false
    }
  }

  #preparePlace(): PreparedPlace | undefined {
    const connection = preparePlace(this.options.transport, this.options.spec)
    return connection && new PreparedPlace(connection)
  }

  discard(): Promise<void> {
    const prepared = this.#prepared
    this.#prepared = undefined
    if (prepared) this.#discarded = prepared.discard()
    return this.#discarded
  }

  #takePrepared(): PreparedPlace | undefined {
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

  interrupted(how: 'stopping' | 'crashed', reason: unknown, budget: Budget): void {
    this.#session?.interrupt(how, reason, budget)
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
    return session?.amendStartRecord(record) ?? { ...record, isolation: this.isolation }
  }

  amendRecord(record: TeardownRecord): TeardownRecord {
    const session = record.outcome === 'not-started' ? undefined : this.#session
    return session?.amendRecord(record) ?? { ...record, isolation: this.isolation }
  }
}
