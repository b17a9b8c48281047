import { type Clock, systemClock } from '../base/clock.ts'
import { Beacon } from '../beacon/beacon.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { Body } from './body.ts'
import type { TeardownRecord } from './record.ts'
import { Run } from './run.ts'
import { TRANSITIONS, isUp } from './state.ts'
import type { ServiceLike, ServiceState, ServiceView, StateChange, StopOptions, SupervisorLike } from './types.ts'

/** Finds the node behind any ServiceLike. */
export const NODE: unique symbol = Symbol.for('bulkhead.node') as never

export function nodeOf(service: ServiceLike): ServiceNode {
  const node = (service as { [NODE]?: ServiceNode } | null | undefined)?.[NODE]
  if (node) return node
  throw bulkheadError('ERR_INVALID_ARGUMENT', {
    problem: `${String(service)} is not a service: give an instance of Service, or what isolate() returned`,
  })
}

interface Child {
  readonly node: ServiceNode
  /** The run it was added in, at whose end it is dropped; undefined for one that stays. */
  readonly run: Run | undefined
}

/** How stop, crash and restart reach a service; a thread's root is steered through its handle instead. */
export interface Steering {
  stop(options: StopOptions | undefined): Promise<void>
  restart(): Promise<void>
}

/** The state of one service and its place among others. The verbs (start, stop, crash, restart) act on it. */
export class ServiceNode {
  readonly owner: ServiceLike
  readonly body: Body
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
  lastTeardown: TeardownRecord | undefined
  firstStartDone = false
  /** Set by the crash verb's module, which work must reach without importing it. */
  readonly crash: (reason: unknown) => Promise<void>

  readonly #children = new Map<ServiceLike, Child>()
  #listeners: Set<(change: StateChange) => void> | undefined

  constructor(owner: ServiceLike, body: Body, crash: (node: ServiceNode, reason: unknown) => Promise<void>) {
    this.owner = owner
    this.body = body
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

  /** Whether a run is under way, teardown included. */
  get inRun(): boolean {
    return this.isUp || (this.state === 'crashed' && !this.run.over)
  }

  get children(): readonly ServiceNode[] {
    return Array.from(this.#children.values(), (child) => child.node)
  }

  /** Live: sees children that are added while it is under way. */
  *eachChild(): Generator<ServiceNode> {
    for (const child of this.#children.values()) yield child.node
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
      this.body.interrupted?.(state, reason, this.run.budget)
    }
    this.beacon.changed()
    if (!this.#listeners) return
    const change: StateChange = reason === undefined ? { state, previous } : { state, previous, reason }
    for (const listener of [...this.#listeners]) {
      try {
        listener(change)
      } catch (error) {
        // A listener is a bystander: its fault must not stop a change of state half-way.
        this.body.problem(error, 'A listener of onChange failed')
      }
    }
  }

  onChange(listener: (change: StateChange) => void): () => void {
    // Wrapped, so that a function given twice is called twice and each unsubscribes for itself.
    const own = (change: StateChange): void => listener(change)
    this.#listeners ??= new Set()
    this.#listeners.add(own)
    return () => this.#listeners?.delete(own)
  }

  addChild(child: ServiceNode): void {
    if (child.parent === this) return
    for (let at: ServiceNode | undefined = this; at; at = at.parent) {
      if (at === child) {
        throw bulkheadError('ERR_CYCLE', { service: child.beacon.path, parent: this.beacon.path })
      }
    }
    if (child.parent) {
      throw bulkheadError('ERR_HAS_PARENT', { service: child.beacon.path, parent: child.parent.beacon.path })
    }
    this.#children.set(child.owner, { node: child, run: this.inRun ? this.run : undefined })
    child.parent = this
    this.beacon.attach(child.beacon)
  }

  dropChild(child: ServiceNode): void {
    if (!this.#children.delete(child.owner)) return
    child.parent = undefined
    child.supervisor = undefined
    this.beacon.detach(child.beacon)
  }

  /** Three restarts leave as many children as one start. */
  dropChildrenOf(run: Run): void {
    for (const child of [...this.#children.values()]) if (child.run === run) this.dropChild(child.node)
  }
}
