import { type Clock, systemClock } from '../base/clock.ts'
import { ignoreRejection } from '../base/deferred.ts'
import { Beacon } from '../beacon/beacon.ts'
import { fail } from '../errors/arguments.ts'
import { describe } from '../errors/describe.ts'
import type { TeardownRecord } from '../wire/records.ts'
import { ChangeListeners } from './change-listeners.ts'
import { Children, refuseMisfit } from './children.ts'
import type { Lifecycle } from './lifecycle.ts'
import { lifeObserver } from './observer.ts'
import type { Elsewhere } from './remote-node.ts'
import { type Crash, Run } from './run.ts'
import { TRANSITIONS, illegalTransition, isUp } from './state.ts'
import type { ServiceLike, ServiceState, ServiceView, StateChange, SupervisorLike } from './types.ts'

/** Finds the node behind any ServiceLike. */
export const NODE: unique symbol = Symbol.for('bulkhead.node') as never

export function nodeOf(service: ServiceLike): ServiceNode {
  const node = (service as { [NODE]?: ServiceNode } | null | undefined)?.[NODE]
  if (node) return node
  return fail(
    `${describe(service)} is not a service: give an instance of Service, or what isolate() returned`,
  )
}

/** A restart under way; what is left of one that is cancelled does not happen, and who asked for it is told so. */
export interface Restart {
  readonly promise: Promise<void>
  readonly cancelled: boolean
}

/**
 * The state of one service and its place among others. The verbs (start, stop, crash, restart) act on it, by telling it
 * what happened: nobody assigns to its members. Nodes of two copies of this library may stand in one tree, so that none
 * reaches into another by a private name.
 */
export class ServiceNode {
  readonly owner: ServiceLike
  readonly lifecycle: Lifecycle
  readonly beacon: Beacon<ServiceView>
  /** Set by the crash verb's module, which work must reach without importing it. */
  readonly crash: (reason: unknown) => Promise<void>
  /** Where its time comes from; a test puts another in its place before the start. */
  clock: Clock = systemClock

  #state: ServiceState = 'init'
  #crashReason: unknown
  #restartCount = 0
  #run: Run
  #parent: ServiceNode | undefined
  #supervisor: SupervisorLike | undefined
  #restarting: { promise: Promise<void>; cancelled: boolean } | undefined
  #elsewhere: Elsewhere | undefined
  #lastTeardown: TeardownRecord | undefined
  #firstStartDone = false
  readonly #children = new Children()
  #listeners: ChangeListeners | undefined

  constructor(
    owner: ServiceLike,
    lifecycle: Lifecycle,
    crash: (node: ServiceNode, reason: unknown) => Promise<void>,
  ) {
    this.owner = owner
    this.lifecycle = lifecycle
    this.beacon = new Beacon<ServiceView>(owner)
    this.crash = (reason) => crash(this, reason)
    this.#run = new Run(this)
  }

  // ---- its state

  get state(): ServiceState {
    return this.#state
  }
  get crashReason(): unknown {
    return this.#crashReason
  }
  get restartCount(): number {
    return this.#restartCount
  }
  /** The run that is under way, or the last one, or the one to come. */
  get run(): Run {
    return this.#run
  }
  /** Whether onFirstStart has been called, which is once however often it starts. */
  get firstStartDone(): boolean {
    return this.#firstStartDone
  }
  /** How its last run ended; undefined from the beginning of a run until that one ends. */
  get lastTeardown(): TeardownRecord | undefined {
    return this.#lastTeardown
  }
  /** The restart under way; a stop that arrives during it cancels what is left of it. */
  get restarting(): Restart | undefined {
    return this.#restarting
  }

  get shouldStop(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped' || this.#state === 'crashed'
  }
  get started(): boolean {
    return this.#run.start.reachedRunning && (this.#state === 'running' || this.#state === 'stopping')
  }
  get isUp(): boolean {
    return isUp(this.#state)
  }
  /** Whether it is stopping or crashed together with what is above it, and its own teardown is still to come. */
  get awaitsTurn(): boolean {
    const { down, over } = this.#run.stop
    return (this.#state === 'stopping' || this.#state === 'crashed') && !down && !over
  }
  /** Whether a run is under way, teardown included. */
  get inRun(): boolean {
    return this.isUp || (this.#state === 'crashed' && !this.#run.stop.over)
  }

  /** The teardown under way or the last one, as errors; undefined when none has begun. */
  get down(): Promise<unknown[]> | undefined {
    return this.#run.stop.down
  }
  /** Resolves when the run is over, also while its teardown is yet to begin. */
  get ended(): Promise<void> {
    return this.#run.stop.ended
  }

  /** A run begins, with what is left of the one before it gone. */
  runBegins(): Run {
    if (this.#run.start.begun) {
      this.#run = new Run(this)
      // What a child's earlier run left is no news of this one.
      for (const child of this.eachChild()) if (!child.inRun) child.forgetTeardown()
    }
    this.#run.start.runBegan()
    return this.#run
  }

  /** As runBegins(), for a start here. */
  startBegins({ restart }: { restart: boolean }): Run {
    const run = this.runBegins()
    this.#crashReason = undefined
    this.forgetTeardown()
    if (restart) this.#restartCount += 1
    return run
  }

  firstStartBegins(): void {
    this.#firstStartDone = true
  }

  transition(state: ServiceState, reason?: unknown): void {
    const previous = this.#goTo(state)
    if (state === 'crashed') this.#crashReason = reason
    this.announce(previous, reason)
  }

  /** Crashed from now on; whoever marks it tells the world of it once all that goes down with it is marked. */
  crashed(crash: Crash): ServiceState {
    const previous = this.#goTo('crashed')
    this.#crashReason = crash.reason
    this.#run.crashed(crash)
    return previous
  }

  /** Tells the world of a state that has been set: what sleeps wakes, what listens hears. */
  announce(previous: ServiceState, reason?: unknown): void {
    const state = this.#state
    if (state === 'stopping' || state === 'crashed') {
      const { run, lifecycle } = this
      run.stopBegan()
      lifecycle.interrupted?.(state, reason, run.stop.budgetFor(this.clock))
    }
    this.beacon.changed()
    const tell = lifeObserver()?.changed(this, previous, reason)
    this.#listeners?.tell(reason === undefined ? { state, previous } : { state, previous, reason })
    tell?.()
  }

  onChange(listener: (change: StateChange) => void): () => void {
    this.#listeners ??= new ChangeListeners(this.lifecycle)
    return this.#listeners.add(listener)
  }

  tornDown(record: TeardownRecord): void {
    this.#lastTeardown = record
  }
  forgetTeardown(): void {
    this.#lastTeardown = undefined
  }

  /** The restart that `work` is: those who ask meanwhile may join it. */
  restartBegins(work: (restart: Restart) => Promise<void>): Promise<void> {
    const restart = { promise: Promise.resolve(), cancelled: false }
    this.#restarting = restart
    restart.promise = work(restart).finally(() => {
      if (this.#restarting === restart) this.#restarting = undefined
    })
    ignoreRejection(restart.promise)
    return restart.promise
  }

  cancelRestart(): void {
    if (this.#restarting) this.#restarting.cancelled = true
  }

  #goTo(state: ServiceState): ServiceState {
    const previous = this.#state
    if (!TRANSITIONS[previous].includes(state)) throw illegalTransition(this.beacon.path, previous, state)
    this.#state = state
    return previous
  }

  // ---- its other side, if there is one: see remote-node.ts

  get elsewhere(): Elsewhere | undefined {
    return this.#elsewhere
  }

  standsFor(elsewhere: Elsewhere): void {
    this.#elsewhere = elsewhere
    this.beacon.mount = elsewhere.path
  }

  restartsCounted(restarts: number): void {
    this.#restartCount = restarts
  }

  /** The state is one that it was told of: what came in between, it may have missed. */
  changedElsewhere(state: ServiceState, reason: unknown): void {
    const previous = this.#state
    this.#state = state
    this.#crashReason = reason
    this.announce(previous, reason)
  }

  // ---- its place among others

  get parent(): ServiceNode | undefined {
    return this.#parent
  }
  get supervisor(): SupervisorLike | undefined {
    return this.#supervisor
  }
  get children(): readonly ServiceNode[] {
    return this.#children.list()
  }
  get hasChildren(): boolean {
    return this.#children.size > 0
  }
  /** Whether there ever was a child that can be prepared for its start. */
  get hasPreparable(): boolean {
    return this.#children.hasPreparable
  }

  /** Live: it sees children that are added while it is under way. */
  eachChild(): Generator<ServiceNode> {
    return this.#children.each()
  }

  addChild(child: ServiceNode): void {
    if (child.parent === this) return
    refuseMisfit(child, this)
    this.#children.add(child, this.inRun ? this.#run : undefined)
    this.#attach(child)
  }

  /**
   * Puts `fresh` where `old` is in the order of children, for as long as `old` would have stayed. Nothing has changed
   * when it throws.
   */
  replaceChild(old: ServiceNode, fresh: ServiceNode): void {
    if (!this.#children.has(old)) return this.addChild(fresh)
    refuseMisfit(fresh, this)
    this.#children.replace(old, fresh)
    // First out, then in: under the same label it gets the same path.
    this.#detach(old)
    this.#attach(fresh)
  }

  dropChild(child: ServiceNode): void {
    if (this.#children.remove(child)) this.#detach(child)
  }

  /** Three restarts leave as many children as one start. */
  dropChildrenOf(run: Run): void {
    for (const child of this.#children.addedIn(run)) this.dropChild(child)
  }

  /** It has a place under a parent, or none any more; what supervised it there does so no longer. */
  movedTo(parent: ServiceNode | undefined): void {
    this.#parent = parent
    if (!parent) this.#supervisor = undefined
  }

  supervisedBy(supervisor: SupervisorLike): void {
    this.#supervisor = supervisor
  }

  #attach(child: ServiceNode): void {
    child.movedTo(this)
    this.beacon.attach(child.beacon)
  }

  #detach(child: ServiceNode): void {
    void child.lifecycle.discard?.()
    child.movedTo(undefined)
    this.beacon.detach(child.beacon)
  }
}
