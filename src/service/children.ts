import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'
import type { ServiceLike } from './types.ts'

interface Place {
  readonly node: ServiceNode
  /** The run it was added in, at whose end it is dropped; undefined for one that stays. */
  readonly run: Run | undefined
}

/** The children of a node in order of addition, each with how long it stays. */
export class Children {
  readonly #places = new Map<ServiceLike, Place>()
  #hasPreparable = false

  get size(): number {
    return this.#places.size
  }

  /** Whether there ever was one that can be prepared for its start. */
  get hasPreparable(): boolean {
    return this.#hasPreparable
  }

  list(): ServiceNode[] {
    return Array.from(this.#places.values(), ({ node }) => node)
  }

  /** Live: it sees children that are added while it is under way. */
  *each(): Generator<ServiceNode> {
    for (const { node } of this.#places.values()) yield node
  }

  has(child: ServiceNode): boolean {
    return this.#places.has(child.owner)
  }

  /** Last in order, to stay until the end of `run`. */
  add(child: ServiceNode, run: Run | undefined): void {
    this.#places.set(child.owner, { node: child, run })
    if (child.lifecycle.prepare) this.#hasPreparable = true
  }

  /** Puts `fresh` where `old` is, for as long as `old` would have stayed. */
  replace(old: ServiceNode, fresh: ServiceNode): void {
    const places = [...this.#places]
    const index = places.findIndex(([owner]) => owner === old.owner)
    const run = places[index]?.[1].run
    this.#places.delete(old.owner)
    this.add(fresh, run)
    // A Map is in order of insertion: those that came after it are put behind it again.
    for (const [owner, place] of places.slice(index + 1)) {
      this.#places.delete(owner)
      this.#places.set(owner, place)
    }
  }

  /** False when it is none of them. */
  remove(child: ServiceNode): boolean {
    return this.#places.delete(child.owner)
  }

  /** Those that were added in `run`. */
  addedIn(run: Run): ServiceNode[] {
    const found: ServiceNode[] = []
    for (const place of this.#places.values()) if (place.run === run) found.push(place.node)
    return found
  }
}

/** @throws `ERR_CYCLE`, `ERR_HAS_PARENT`: a service has one place in one tree */
export function refuseMisfit(child: ServiceNode, parent: ServiceNode): void {
  // Paths are for the message alone: to make them takes time, and most children fit.
  for (const { data } of parent.beacon.walk()) {
    if (data === child.owner) {
      throw bulkheadError('ERR_CYCLE', { child: child.beacon.path, parent: parent.beacon.path })
    }
  }
  const known = child.elsewhere?.parent ?? child.parent?.beacon.path
  if (known !== undefined) {
    throw bulkheadError('ERR_HAS_PARENT', { child: child.beacon.path, parent: known })
  }
}
