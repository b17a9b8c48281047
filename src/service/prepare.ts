import { availableParallelism } from 'node:os'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'

/**
 * How many children may be prepared at once. What runs on the same processors would delay the one whose turn it is, and
 * so would too many threads that are made in one go.
 */
const MAX_AHEAD = Math.min(Math.max(availableParallelism() - 1, 1), 4)

/** Prepares the children next in line while one starts. */
export class Preparation {
  readonly #node: ServiceNode
  readonly #run: Run
  /** Live, as that of who starts them: what a task adds while an earlier child starts is seen, too. */
  readonly #upcoming: Iterator<ServiceNode> | undefined
  /** Those that are ready and whose turn is yet to come. */
  readonly #waiting = new Set<ServiceNode>()

  constructor(node: ServiceNode, run: Run) {
    this.#node = node
    this.#run = run
    this.#upcoming = node.hasPreparable ? node.eachChild() : undefined
  }

  /** It is the turn of `child`, which has begun to start. */
  turnOf(child: ServiceNode): void {
    if (!this.#upcoming) return
    // First: what the others need comes after what it needs.
    if (!this.#waiting.delete(child)) this.#prepare(child)
    for (const other of this.#waiting) if (other.parent !== this.#node) this.#waiting.delete(other)
    while (this.#waiting.size < MAX_AHEAD) {
      const next = this.#upcoming.next()
      if (next.done) return
      if (next.value !== child && this.#prepare(next.value)) this.#waiting.add(next.value)
    }
  }

  #prepare(child: ServiceNode): boolean {
    const isPrepared = child.lifecycle.prepare?.() === true
    if (isPrepared) this.#run.start.childPrepared(child)
    return isPrepared
  }
}

/** Ends what was prepared and not used: who has started has used it up. */
export async function discardPrepared({ start }: Run): Promise<void> {
  await Promise.all(start.takePrepared().map(async (child) => child.lifecycle.discard?.()))
}
