import { type SiblingName, SiblingNames } from './names.ts'
import type { PLACE, Place } from '../wire/facts.ts'
import { toDot, toMermaid, toTree } from './render.ts'

/** What a place in the graph tells about the service that stands there. */
export interface BeaconData {
  readonly label: string
  readonly state: string
  readonly crashReason?: unknown
  readonly restartCount?: number
  /**
   * The place that it has to itself, if it has one. A symbol: a service may have fields of any name.
   * @internal
   */
  readonly [PLACE]?: Place
}

/** Something that happened to `beacon`; `parent` is the one it was given to or taken from. */
export type BeaconEvent<D extends BeaconData = BeaconData> =
  | { readonly type: 'attach' | 'detach'; readonly beacon: Beacon<D>; readonly parent: Beacon<D> }
  | { readonly type: 'change'; readonly beacon: Beacon<D>; readonly parent?: undefined }

interface Observer<D extends BeaconData> {
  // A method, not a function-valued field: it keeps Beacon<Service> assignable to Beacon.
  notify?(event: BeaconEvent<D>): void
}

/** The place of a service in the dependency graph. */
export class Beacon<D extends BeaconData = BeaconData> {
  /** The service. */
  readonly data: D
  /**
   * Where this root, being the root inside a thread, stands on the main thread: a full path, used instead of its label.
   * @internal
   */
  mount: string | undefined
  #parent: Beacon<D> | undefined
  #name: SiblingName | undefined
  readonly #children = new Set<Beacon<D>>()
  #childList: readonly Beacon<D>[] | undefined = []
  #names: SiblingNames | undefined
  #path: string | undefined
  #pathAbove: string | undefined
  #observers: Set<Observer<D>> | undefined

  constructor(data: D) {
    this.data = data
  }

  get parent(): Beacon<D> | undefined {
    return this.#parent
  }

  /** The topmost beacon; a root's is itself. */
  get root(): Beacon<D> {
    let above = this.#parent
    while (above?.parent) above = above.parent
    return above ?? this
  }

  /** In order of addition. The array is a snapshot: later additions and removals do not change it. */
  get children(): readonly Beacon<D>[] {
    return (this.#childList ??= [...this.#children])
  }

  /** The number of beacons above it: 0 for a root. */
  get depth(): number {
    let depth = 0
    for (let above = this.#parent; above; above = above.#parent) depth++
    return depth
  }

  /**
   * The labels from the root to here, joined by `/`. A sibling whose label is taken has `#2`, `#3`… after it: the
   * smallest number that was free when it was added, kept until it is removed.
   */
  get path(): string {
    if (!this.#pathHolds()) {
      for (const beacon of [...this.walk()].toReversed()) beacon.#renewPath()
    }
    return this.#path!
  }

  /** Its own part of the path. @internal */
  get name(): string {
    return this.#name?.text ?? this.data.label
  }

  /** Itself, then each beacon above it up to the root. */
  *walk(): Generator<Beacon<D>, void, undefined> {
    yield this
    for (let above = this.#parent; above; above = above.#parent) yield above
  }

  /** Itself, then every beacon below it, breadth first. */
  *traverse(): Generator<Beacon<D>, void, undefined> {
    const queue: Beacon<D>[] = [this]
    // The queue grows while it is read.
    for (const beacon of queue) {
      yield beacon
      for (const child of beacon.children) queue.push(child)
    }
  }

  /** A drawing in box characters: a line for each beacon from here down, with state, thread and restarts. */
  toTree(): string {
    return toTree(this)
  }

  /** A Mermaid flowchart from here down. */
  toMermaid(): string {
    return toMermaid(this)
  }

  /** A Graphviz digraph from here down. */
  toDot(): string {
    return toDot(this)
  }

  /**
   * Adds `child` as the last child. Its label is read now, for the path.
   * @internal
   */
  attach(child: Beacon<D>): void {
    if (child.#parent) throw new Error(`${child.path} already has a parent`)
    if (child === this.root) throw new Error(`${child.path} cannot be its own descendant`)
    child.#name = (this.#names ??= new SiblingNames()).take(child.data.label)
    child.#parent = this
    child.#path = undefined
    this.#children.add(child)
    this.#childList = undefined
    child.#emit({ type: 'attach', beacon: child, parent: this }, this)
  }

  /**
   * Removes `child`, which becomes a root; nothing happens when it is no child of this beacon.
   * @internal
   */
  detach(child: Beacon<D>): void {
    if (!this.#children.delete(child)) return
    this.#childList = undefined
    this.#names!.release(child.#name!)
    child.#name = undefined
    child.#parent = undefined
    child.#path = undefined
    child.#emit({ type: 'detach', beacon: child, parent: this }, this)
  }

  /**
   * Calls `listener` for what happens here and below, until the returned function is called. Listeners must not throw:
   * it would keep the event from those after them.
   * @internal
   */
  observe(listener: (event: BeaconEvent<D>) => void): () => void {
    const observer: Observer<D> = { notify: listener }
    const observers = (this.#observers ??= new Set())
    observers.add(observer)
    return () => {
      observers.delete(observer)
      // It may be in the list of an event under way.
      observer.notify = undefined
    }
  }

  /**
   * Tells the observers that the data reads differently now.
   * @internal
   */
  changed(): void {
    this.#emit({ type: 'change', beacon: this }, this.#parent)
  }

  // Listed before the first is called: a listener may move beacons.
  #emit(event: BeaconEvent<D>, above: Beacon<D> | undefined): void {
    const observers: Observer<D>[] = this.#observers ? [...this.#observers] : []
    for (let beacon = above; beacon; beacon = beacon.#parent) {
      if (beacon.#observers) observers.push(...beacon.#observers)
    }
    for (const observer of observers) observer.notify?.(event)
  }

  // Each stored path remembers the one above that it was built on, and the root's is compared with its label as it
  // reads now. So a move or a late label anywhere above is noticed here, and attach and detach visit no descendants.
  #pathHolds(): boolean {
    let beacon = this as Beacon
    for (let above = beacon.#parent; above; above = above.#parent) {
      if (beacon.#path === undefined || beacon.#pathAbove !== above.#path) return false
      beacon = above
    }
    return beacon.#path === (beacon.mount ?? beacon.data.label)
  }

  #renewPath(): void {
    const parent = this.#parent
    this.#pathAbove = parent ? parent.#path : undefined
    this.#path = parent ? `${parent.#path}/${this.name}` : (this.mount ?? this.data.label)
  }
}
