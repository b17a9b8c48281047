import { Beacon } from '../beacon/beacon.ts'
import { decodeError } from '../errors/decode.ts'
import { states } from '../observe/channels.ts'
import { isUp } from '../service/state.ts'
import type { ServiceState, ServiceView, StateChange } from '../service/types.ts'
import {
  type Place,
  type TreeChange,
  type TreeFacts,
  type TreeNode,
  isElsewhere,
  threadIdOf,
  PLACE,
} from '../wire/facts.ts'

/** A look at a service that lives in another thread. */
class MirrorView implements ServiceView {
  readonly beacon: Beacon<ServiceView>
  readonly #listeners = new Set<(change: StateChange) => void>()
  #facts: TreeFacts
  crashReason: unknown

  constructor(facts: TreeFacts) {
    this.#facts = facts
    this.beacon = new Beacon<ServiceView>(this)
  }

  get state(): ServiceState {
    return this.#facts.state
  }
  get started(): boolean {
    return this.#facts.started
  }
  get crashed(): boolean {
    return this.state === 'crashed'
  }
  get shouldStop(): boolean {
    return this.state === 'stopping' || this.state === 'stopped' || this.state === 'crashed'
  }
  get restartCount(): number {
    return this.#facts.restartCount
  }
  get label(): string {
    return this.#facts.label
  }
  get shortLabel(): string {
    return this.#facts.shortLabel
  }
  get [PLACE](): Place {
    return { kind: this.#facts.isolation ?? 'inline', location: this.#facts.location }
  }
  get threadId(): number | undefined {
    return threadIdOf(this.#facts.location)
  }
  get children(): readonly ServiceView[] {
    return this.beacon.children.map((beacon) => beacon.data)
  }

  onChange(listener: (change: StateChange) => void): () => void {
    const own = (change: StateChange): void => listener(change)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  update(facts: TreeFacts, reason: unknown, { problem, tells }: MirrorOptions): void {
    const previous = this.state
    this.#facts = facts
    this.crashReason = reason
    this.beacon.changed()
    const { state } = this
    if (state === previous) return
    const change: StateChange = state === 'crashed' ? { state, previous, reason } : { state, previous }
    if (tells && states.isHeard) {
      states.publish({ service: this.beacon.path, isolation: this[PLACE].kind, ...change })
    }
    for (const listener of [...this.#listeners]) {
      try {
        listener(change)
      } catch (error) {
        problem(error)
      }
    }
  }

  get facts(): TreeFacts {
    return this.#facts
  }
}

export interface MirrorOptions {
  /** Whether its changes of state are events here: those of this thread tell by themselves. */
  readonly tells: boolean
  /** Hears of a listener that failed. */
  readonly problem: (error: unknown) => void
}

/** The graph below a service in a thread, kept as told by that thread. */
export class Mirror {
  readonly #root: Beacon<ServiceView>
  readonly #options: MirrorOptions
  readonly #views = new Map<number, MirrorView>()
  readonly #reasons = new Map<number, unknown>()

  /** `root` is the handle's own beacon. */
  constructor(root: Beacon<ServiceView>, options: MirrorOptions) {
    this.#root = root
    this.#options = options
  }

  get children(): readonly ServiceView[] {
    return this.#root.children.map((beacon) => beacon.data)
  }

  /** How many places, one within the other, are below. */
  get placesDeep(): number {
    const below = (beacon: Beacon<ServiceView>): number =>
      Math.max(0, ...beacon.children.map((child) => below(child) + (isPlace(child.data) ? 1 : 0)))
    return below(this.#root)
  }

  apply(change: TreeChange): void {
    if (change.op === 'attach') {
      const parent = change.parent === 0 ? this.#root : this.#views.get(change.parent)?.beacon
      if (parent) this.#attach(parent, change.node)
    } else if (change.op === 'detach') {
      this.#detach(change.id)
    } else {
      this.#views.get(change.id)?.update(change.facts, this.#reason(change.facts), this.#options)
    }
  }

  /** Nothing more will be heard: what was up has ended with its thread. */
  end(how: { crashed: boolean; reason: unknown }): void {
    for (const view of this.#views.values()) {
      if (!isUp(view.state)) continue
      const state = how.crashed ? 'crashed' : 'stopped'
      const { location: _gone, ...facts } = view.facts
      view.update({ ...facts, state, started: false }, how.crashed ? how.reason : undefined, this.#options)
    }
  }

  clear(): void {
    for (const beacon of this.#root.children) this.#root.detach(beacon)
    this.#views.clear()
    this.#reasons.clear()
  }

  #attach(parent: Beacon<ServiceView>, node: TreeNode): void {
    const view = new MirrorView(node.facts)
    view.crashReason = this.#reason(node.facts)
    this.#views.set(node.id, view)
    parent.attach(view.beacon)
    for (const child of node.children) this.#attach(view.beacon, child)
  }

  #detach(id: number): void {
    const view = this.#views.get(id)
    if (!view) return
    view.beacon.parent?.detach(view.beacon)
    for (const beacon of view.beacon.traverse()) {
      for (const [known, other] of this.#views) if (other.beacon === beacon) this.#views.delete(known)
    }
  }

  #reason({ reason }: TreeFacts): unknown {
    if (!reason) return undefined
    if (reason.value && !this.#reasons.has(reason.ref))
      this.#reasons.set(reason.ref, decodeError(reason.value))
    return this.#reasons.get(reason.ref)
  }
}

function isPlace(view: ServiceView): boolean {
  return view instanceof MirrorView && isElsewhere(view[PLACE].kind) && isUp(view.state)
}
