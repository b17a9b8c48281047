import { type Clock, systemClock } from '../base/clock.ts'
import { Beacon } from '../beacon/beacon.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import type { Lifecycle } from './lifecycle.ts'
import { asGiven } from './context.ts'
import type { TeardownRecord } from '../wire/records.ts'
import { Run } from './run.ts'
import { TRANSITIONS, isUp } from './state.ts'
import type { PlaceKind } from '../wire/facts.ts'
import type {
  ServiceLike,
  ServiceState,
  ServiceView,
  StateChange,
  StopOptions,
  SupervisorLike,
} from './types.ts'

/** Finds the node behind any ServiceLike. */
export const NODE: unique symbol = Symbol.for('bulkhead.node') as never

export function nodeOf(service: ServiceLike): ServiceNode {
  const node = (service as { [NODE]?: ServiceNode } | null | undefined)?.[NODE]
  if (node) return node
  throw bulkheadError('ERR_INVALID_ARGUMENT', {
    problem: `${describe(service)} is not a service: give an instance of Service, or what isolate() returned`,
  })
}

interface Child {
  readonly node: ServiceNode
  /** The run it was added in, at whose end it is dropped; undefined for one that stays. */
  readonly run: Run | undefined
}

/** How stop, crash and restart reach a service; a thread's root is steered through its handle instead. */
export interface Steering {
  start?(): Promise<void>
  maybeStart?(): Promise<boolean>
  crash?(reason: unknown): Promise<void>
  stop(options: StopOptions | undefined): Promise<void>
  restart(): Promise<void>
}

/** The state of one service and its place among others. The verbs (start, stop, crash, restart) act on it. */
export class ServiceNode {
  readonly owner: ServiceLike
  readonly lifecycle: Lifecycle
  readonly beacon: Beacon<ServiceView>
  clock: Clock = systemClock
  state: ServiceState = 'init'
  crashReason: unknown
  restartCount = 0
  run: Run
  parent: ServiceNode | undefined
  supervisor: SupervisorLike | undefined
  /** The restart under way; a stop that arrives during it cancels what is left of it. */
  restarting: { promise: Promise<void>; cancelled: boolean } | undefined
  steering: Steering | undefined
  /** Of a handle that was handed over from another thread: where its parent is. */
  parentElsewhere: string | undefined
  /** A label that its handle was given. */
  givenLabel: string | undefined
  /** The handle's node, of the real service behind an inline handle: whoever is inside this one is inside that. */
  handle: ServiceNode | undefined
  /** The kind of place that it is the root of, or in. */
  place: PlaceKind = 'inline'
  lastTeardown: TeardownRecord | undefined
  firstStartDone = false
  /** Whether there ever was a child that can be prepared for its start. */
  hasPreparable = false
  /** Set by the crash verb's module, which work must reach without importing it. */
  readonly crash: (reason: unknown) => Promise<void>

  readonly #children = new Map<ServiceLike, Child>()
  #listeners: Set<(change: StateChange) => void> | undefined
  readonly #untold: StateChange[] = []
  #telling = false

  constructor(
    owner: ServiceLike,
    lifecycle: Lifecycle,
    crash: (node: ServiceNode, reason: unknown) => Promise<void>,
  ) {
    this.owner = owner
    this.lifecycle = lifecycle
    this.beacon = new Beacon<ServiceView>(owner)
    this.crash = (reason) => crash(this, reason)
    this.run = new Run(this)
  }

  get shouldStop(): boolean {
    return this.state === 'stopping' || this.state === 'stopped' || this.state === 'crashed'
  }

  get started(): boolean {
    return this.run.reachedRunning && (this.state === 'running' || this.state === 'stopping')
  }

  get isUp(): boolean {
    return isUp(this.state)
  }

  /** Whether it is stopping or crashed together with what is above it, and its own teardown is still to come. */
  get awaitsTurn(): boolean {
    return (this.state === 'stopping' || this.state === 'crashed') && !this.run.down && !this.run.over
  }

  /** Whether a run is under way, teardown included. */
  get inRun(): boolean {
    return this.isUp || (this.state === 'crashed' && !this.run.over)
  }

  get children(): readonly ServiceNode[] {
    return Array.from(this.#children.values(), (child) => child.node)
  }

  get hasChildren(): boolean {
    return this.#children.size > 0
  }

  /** Live: sees children that are added while it is under way. */
  *eachChild(): Generator<ServiceNode> {
    for (const child of this.#children.values()) yield child.node
  }

  /** What is left of a restart will not happen; who asked for it is told so. */
  cancelRestart(): void {
    if (this.restarting) this.restarting.cancelled = true
  }

  /** The run that is about to begin. */
  freshRun(): Run {
    if (this.run.begun) {
      this.run = new Run(this)
      // What a child's earlier run left is no news of this one.
      for (const child of this.eachChild()) if (!child.inRun) child.lastTeardown = undefined
    }
    this.run.begun = true
    return this.run
  }

  transition(state: ServiceState, reason?: unknown): void {
    const previous = this.state
    if (!TRANSITIONS[previous].includes(state)) {
      throw new Error(`Bulkhead: ${this.beacon.path} cannot go from ${previous} to ${state}`)
    }
    this.state = state
    this.announce(previous, reason)
  }

  /** Tells the world of a state that has been set: what sleeps wakes, what listens hears. */
  announce(previous: ServiceState, reason?: unknown): void {
    const { state } = this
    if (state === 'stopping' || state === 'crashed') {
      this.run.abort()
      this.lifecycle.interrupted?.(state, reason, this.run.budget)
    }
    this.beacon.changed()
    if (!this.#listeners) return
    const change: StateChange = reason === undefined ? { state, previous } : { state, previous, reason }
    this.#untold.push(change)
    // A listener may cause the next change: all listeners hear of this one first.
    if (this.#telling) return
    this.#telling = true
    try {
      for (let next = this.#untold.shift(); next; next = this.#untold.shift()) this.#tell(next)
    } finally {
      this.#telling = false
    }
  }

  #tell(change: StateChange): void {
    for (const listener of Array.from(this.#listeners ?? [])) {
      if (!this.#listeners?.has(listener)) continue
      try {
        listener(change)
      } catch (error) {
        // A listener is a bystander: its fault must not stop a change of state half-way.
        this.lifecycle.problem(error, 'A listener of onChange failed')
      }
    }
  }

  onChange(listener: (change: StateChange) => void): () => void {
    // Wrapped, so that a function given twice is called twice and each unsubscribes for itself; and in the context of
    // here, since it is no part of the task or hook that caused the change.
    const own = asGiven(listener)
    this.#listeners ??= new Set()
    this.#listeners.add(own)
    return () => this.#listeners?.delete(own)
  }

  addChild(child: ServiceNode): void {
    if (child.parent === this) return
    this.#refuseMisfit(child)
    this.#adopt(child, this.inRun ? this.run : undefined)
  }

  /**
   * Puts `fresh` where `old` is in the order of children, for as long as `old` would have stayed. Nothing has changed
   * when it throws.
   */
  replaceChild(old: ServiceNode, fresh: ServiceNode): void {
    const place = this.#children.get(old.owner)
    if (!place) return this.addChild(fresh)
    this.#refuseMisfit(fresh)
    const owners = [...this.#children.keys()]
    // First out, then in: under the same label it gets the same path.
    this.dropChild(old)
    this.#adopt(fresh, place.run)
    for (const owner of owners.slice(owners.indexOf(old.owner) + 1)) {
      const child = this.#children.get(owner)!
      this.#children.delete(owner)
      this.#children.set(owner, child)
    }
  }

  #refuseMisfit(child: ServiceNode): void {
    for (const { data } of this.beacon.walk()) {
      if (data === child.owner) {
        throw bulkheadError('ERR_CYCLE', { service: child.beacon.path, parent: this.beacon.path })
      }
    }
    if (child.parentElsewhere !== undefined) {
      throw bulkheadError('ERR_HAS_PARENT', { service: child.beacon.path, parent: child.parentElsewhere })
    }
    if (child.parent) {
      throw bulkheadError('ERR_HAS_PARENT', { service: child.beacon.path, parent: child.parent.beacon.path })
    }
  }

  #adopt(child: ServiceNode, run: Run | undefined): void {
    this.#children.set(child.owner, { node: child, run })
    if (child.lifecycle.prepare) this.hasPreparable = true
    child.parent = this
    this.beacon.attach(child.beacon)
  }

  dropChild(child: ServiceNode): void {
    if (!this.#children.delete(child.owner)) return
    void child.lifecycle.discard?.()
    child.parent = undefined
    child.supervisor = undefined
    this.beacon.detach(child.beacon)
  }

  /** Three restarts leave as many children as one start. */
  dropChildrenOf(run: Run): void {
    if (this.#children.size === 0) return
    for (const child of Array.from(this.#children.values())) if (child.run === run) this.dropChild(child.node)
  }
}
