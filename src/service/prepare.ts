import { availableParallelism } from 'node:os'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'

/** How many children may be prepared at once: what runs on the same processors would delay the one whose turn it is. */
const AHEAD = Math.max(availableParallelism() - 1, 1)

/** Prepares the children next in line while one starts. */
export class Preparation {
  readonly #run: Run
  /** Live, as that of who starts them: what a task adds while an earlier child starts is seen, too. */
  readonly #upcoming: Iterator<ServiceNode> | undefined
  #inLine = 0

  constructor(node: ServiceNode, run: Run) {
    this.#run = run
    this.#upcoming = node.hasPreparable ? node.eachChild() : undefined
  }

  /** It is the turn of `child`. */
  turnOf(child: ServiceNode): void {
    if (!this.#upcoming) return
    const { prepared } = this.#run
    if (prepared.includes(child)) this.#inLine -= 1
    while (this.#inLine < AHEAD) {
      const next = this.#upcoming.next()
      if (next.done) return
      if (next.value === child || !next.value.body.prepare || next.value.inRun) continue
      next.value.body.prepare()
      prepared.push(next.value)
      this.#inLine += 1
    }
  }
}

/** What was prepared and not used: who has started has used it up. */
export async function discardPrepared({ prepared }: Run): Promise<void> {
  if (prepared.length === 0) return
  await Promise.all(prepared.splice(0).map(async (child) => child.body.discard?.()))
}
