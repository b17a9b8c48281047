import { AsyncResource } from 'node:async_hooks'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { crashNode } from '../service/crash.ts'
import type { ServiceNode } from '../service/node.ts'
import { maybeStartNode } from '../service/start.ts'
import type { ServiceLike, StateChange } from '../service/types.ts'
import { Backoff, type BackoffPolicy } from './backoff.ts'
import { DEFAULT_STOP_TIMEOUT_MS, type Slot } from './child.ts'
import type { SupervisorEvent } from './events.ts'
import { Repair } from './repair.ts'
import { RestartWindow } from './restart-window.ts'
import { type RepairContext, carryOut, settled, stopChild, turnOfCrash } from './runner.ts'
import { type Fall, type Strategy, isCollective, isRestarting, planFor } from './strategies.ts'

export interface WatchSettings {
  readonly strategy: Strategy
  readonly maxRestarts: number
  /** Milliseconds. */
  readonly over: number
  readonly backoff: BackoffPolicy | undefined
  readonly replacement: RepairContext['replacement']
}

/** What a watch needs of the supervisor. */
export interface SupervisorAccess {
  readonly node: ServiceNode
  readonly settings: WatchSettings
  random(): number
  slots(): readonly Slot[]
  replace(slot: Slot, replacement: ServiceLike): void
  emit(event: SupervisorEvent): void
}

/** The supervising of one run of a supervisor, from its start until it stops, crashes or gives up. */
export class Watch {
  readonly #supervisor: SupervisorAccess
  readonly #node: ServiceNode
  readonly #settings: WatchSettings
  readonly #window: RestartWindow
  readonly #backoff: Backoff
  readonly #repairs = new Map<Slot | undefined, Repair>()
  readonly #context: RepairContext
  /**
   * What is done about a crash must not run as work of the service that crashed, whose async context the news comes in:
   * it runs in the context that the supervisor was started in, as its children did.
   */
  readonly #scope = new AsyncResource('bulkhead.supervisor')
  /** Those that have been up in this run. */
  readonly #known: WeakSet<Slot>
  #over = false

  constructor(supervisor: SupervisorAccess) {
    this.#supervisor = supervisor
    this.#node = supervisor.node
    this.#settings = supervisor.settings
    this.#known = new WeakSet(supervisor.slots().filter((slot) => slot.node.state === 'running'))
    const { maxRestarts, over, backoff, replacement } = supervisor.settings
    const now = (): number => this.#node.clock.now()
    this.#window = new RestartWindow(maxRestarts, over, now)
    this.#backoff = new Backoff(backoff, { quiet: over, now, random: () => supervisor.random() })
    this.#context = {
      node: this.#node,
      wants: (repair) => this.going && this.#repairs.get(repair.only) === repair,
      slots: () => supervisor.slots(),
      replacement,
      replace: (slot, replacement) => supervisor.replace(slot, replacement),
      starting: (repair) => this.#tellRepair('restarting', repair),
      startFailed: (slot, error) => this.#fell(slot, 'crashed', error, 'restart-failed'),
      stuck: (slot, what) => this.#stuck(slot, what),
      finished: (repair) => this.#finished(repair),
    }
  }

  /** False from the moment, within the turn, that the supervisor stops, crashes or gives up. */
  get going(): boolean {
    return !this.#over && (this.#node.state === 'starting' || this.#node.state === 'running')
  }

  /** The supervisor is running. */
  running(): void {
    for (const repair of this.#repairs.values()) repair.wake()
  }

  end(): void {
    this.#over = true
    const repairs = [...this.#repairs.values()]
    this.#repairs.clear()
    for (const repair of repairs) repair.interrupt()
  }

  forget(slot: Slot): void {
    this.#repairOf(slot)?.forget(slot)
  }

  /** Starts children that were added to a supervisor that is up: in the background, in order. */
  startAdded(slots: readonly Slot[]): void {
    void this.#scope.runInAsyncScope(async () => {
      await turnOfCrash()
      for (const slot of slots) if (this.going) await this.#startAdded(slot)
    })
  }

  async #startAdded(slot: Slot): Promise<void> {
    if (slot.removed || this.#repairOf(slot)?.has(slot)) return
    const attempt = {}
    slot.attempt = attempt
    try {
      await maybeStartNode(slot.node)
    } catch (error) {
      // A failure that shows in its state has been taken up already, which ended the attempt.
      if (slot.attempt === attempt && this.going && !slot.removed) this.#fell(slot, 'crashed', error, 'crash')
    }
    if (slot.attempt === attempt) slot.attempt = undefined
  }

  childChanged(slot: Slot, { state, reason }: StateChange): void {
    if (!this.going || slot.removed) return
    const repair = this.#repairOf(slot)
    if (state === 'running') {
      this.#known.add(slot)
      // At once, not when the start() that was awaited resumes: it may crash before that, which is a new crash.
      repair?.isUp(slot)
    } else if (state === 'crashed') {
      this.#crashed(slot, reason, repair)
    } else if (state === 'stopped') {
      this.#stopped(slot, repair)
    }
  }

  #crashed(slot: Slot, reason: unknown, repair: Repair | undefined): void {
    if (this.#failsOwnStart(slot)) return
    slot.attempt = undefined
    const beingStarted = repair?.isStarting(slot)
    if (repair?.has(slot) && !beingStarted) {
      // It was to be stopped anyway: part of the plan, and paid for.
      repair.stop.add(slot)
      // It may have been on its way to a stop of its own, after which it was to be left alone.
      if (slot.restart !== 'temporary' && isRestarting(this.#settings.strategy)) repair.start.add(slot)
      this.#tell('crash', slot, reason)
      return
    }
    this.#fell(slot, 'crashed', reason, beingStarted ? 'restart-failed' : 'crash')
  }

  #stopped(slot: Slot, repair: Repair | undefined): void {
    if (repair?.stop.has(slot) || this.#failsOwnStart(slot)) return
    const { restarting } = slot.node
    if (restarting && !restarting.cancelled) {
      // Somebody restarts it. Should a stop() get in between, no change of state will tell.
      void settled(restarting.promise).then(() => {
        if (slot.node.state === 'stopped') this.childChanged(slot, { state: 'stopped', previous: 'stopping' })
      })
      return
    }
    slot.attempt = undefined
    if (repair?.has(slot) && !repair.isStarting(slot)) return
    this.#fell(slot, 'stopped', undefined, undefined)
  }

  /** A child that the supervisor's own start is at: that start fails with it, and is not ours to retry. */
  #failsOwnStart(slot: Slot): boolean {
    return this.#node.state === 'starting' && !slot.attempt && !this.#known.has(slot)
  }

  #fell(slot: Slot, fall: Fall, reason: unknown, type: 'crash' | 'restart-failed' | undefined): void {
    const slots = this.#supervisor.slots()
    const index = slots.indexOf(slot)
    if (index === -1) return
    const facts = slots.map((each) => ({ restart: each.restart, atRest: this.#atRest(each) }))
    const plan = planFor(this.#settings.strategy, facts, index, fall)
    const affordable = plan.action !== 'restart' || this.#window.spend()
    if (type) this.#tell(type, slot, reason)
    // Those who listen may have stopped the supervisor or removed the child.
    if (!this.going || slot.removed) return
    if (!affordable) {
      this.#tooMany(slot, reason)
      return
    }
    if (plan.action === 'ignore') {
      this.#repairOf(slot)?.start.delete(slot)
      if (fall === 'crashed') this.#tell('forfeited', slot, reason)
      return
    }
    if (plan.action === 'escalate') {
      void crashNode(this.#node, reason, { log: false })
      return
    }
    if (plan.action === 'forfeit') this.#tell('forfeited', slot, reason)
    const pick = (indices: readonly number[]): Slot[] => indices.map((at) => slots[at]!)
    this.#repair(slot, reason, { stop: pick(plan.stop), start: pick(plan.start) }, type === 'restart-failed')
  }

  #repair(
    slot: Slot,
    reason: unknown,
    plan: { stop: readonly Slot[]; start: readonly Slot[] },
    setback: boolean,
  ): void {
    if (!this.going) return
    const known = this.#repairOf(slot)
    const repair = known ?? new Repair(this.#keyOf(slot))
    this.#repairs.set(repair.only, repair)
    // A sibling that fails to start is a setback in the repair of the crash that began it, not what it is about.
    if (plan.start.length > 0 && !(setback && repair.causes.size > 0)) {
      repair.causes.delete(slot)
      repair.causes.set(slot, reason)
    }
    repair.reason = reason
    repair.announced = false
    repair.widen(plan)
    if (plan.start.length > 0) {
      const delayMs = this.#backoff.next()
      repair.dueAt = Math.max(repair.dueAt, this.#node.clock.now() + delayMs)
      if (delayMs > 0) this.#tellRepair('backoff', repair, delayMs)
    }
    if (!known) void this.#scope.runInAsyncScope(() => carryOut(repair, this.#context))
  }

  #finished(repair: Repair): void {
    this.#repairs.delete(repair.only)
    for (const [slot, reason] of repair.causes) {
      if (this.going && !slot.removed && slot.node.state === 'running') this.#tell('restarted', slot, reason)
    }
  }

  #tooMany(slot: Slot, reason: unknown): void {
    const { path: service } = this.#node.beacon
    const { maxRestarts, over } = this.#settings
    const details = reason === undefined ? {} : { cause: reason }
    this.#giveUp(slot, bulkheadError('ERR_MAX_RESTARTS', { service, maxRestarts, over }, details))
  }

  #stuck(slot: Slot, { path: service, phase }: { path: string; phase: string }): void {
    const reason = this.#repairOf(slot)?.reason
    const details = { phase, ...(reason === undefined ? {} : { cause: reason }) }
    const parameters = { service, what: phase, timeout: slot.stopTimeout }
    this.#giveUp(slot, bulkheadError('ERR_STOP_TIMEOUT', parameters, details))
  }

  #giveUp(slot: Slot, error: Error): void {
    this.end()
    this.#tell('gave-up', slot, error)
    // During its own start, the failure of that start undoes what had started.
    if (this.#node.state === 'starting') void crashNode(this.#node, error)
    else void this.#scope.runInAsyncScope(() => this.#stopAndCrash(error))
  }

  async #stopAndCrash(error: Error): Promise<void> {
    const node = this.#node
    const { run } = node
    await turnOfCrash()
    const slots = new Map(this.#supervisor.slots().map((slot) => [slot.node, slot]))
    for (const child of node.children.toReversed()) {
      if (node.run !== run || node.shouldStop) return
      await stopChild(child, node, slots.get(child)?.stopTimeout ?? DEFAULT_STOP_TIMEOUT_MS)
    }
    // A stop() that came meanwhile has what it wants, a crash its own reason.
    if (node.run === run && !node.shouldStop) void crashNode(node, error)
  }

  #atRest(slot: Slot): boolean {
    const { state, restarting } = slot.node
    return (state === 'stopped' || state === 'stopping') && !restarting && !this.#repairOf(slot)?.has(slot)
  }

  #repairOf(slot: Slot): Repair | undefined {
    return this.#repairs.get(this.#keyOf(slot))
  }

  #keyOf(slot: Slot): Slot | undefined {
    return isCollective(this.#settings.strategy) ? undefined : slot
  }

  #tellRepair(type: 'backoff' | 'restarting', repair: Repair, delayMs?: number): void {
    const [slot] = [...repair.causes.keys()].slice(-1)
    if (slot) this.#tell(type, slot, repair.reason, delayMs)
  }

  #tell(type: SupervisorEvent['type'], slot: Slot, reason: unknown, delayMs?: number): void {
    const { node } = slot
    this.#supervisor.emit({
      type,
      child: node.owner,
      path: node.beacon.path,
      ...(reason === undefined ? {} : { reason }),
      restarts: this.#window.spent,
      ...(delayMs === undefined ? {} : { delayMs }),
      at: this.#node.clock.wallTime(),
    } as SupervisorEvent)
  }
}
