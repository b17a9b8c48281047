import { availableParallelism } from 'node:os'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'

/** How many children may be prepared at once: what runs on the same processors would delay the one whose turn it is. */
const AHEAD = Math.max(availableParallelism() - 1, 1)

/**
 * Starts the children in their order; false when a start is not to go on. While one starts, those next in line are
 * prepared.
 */
export async function startChildren(
  node: ServiceNode,
  run: Run,
  start: (child: ServiceNode) => Promise<boolean> | boolean,
): Promise<boolean> {
  const upcoming = node.eachChild()
  let inLine = 0
  // The iterators are live: what a task adds while an earlier child starts has its turn too.
  for (const child of node.eachChild()) {
    if (run.prepared.includes(child)) inLine -= 1
    while (inLine < AHEAD) {
      const next = upcoming.next()
      if (next.done) break
      if (next.value === child || !next.value.body.prepare || next.value.inRun) continue
      next.value.body.prepare()
      run.prepared.push(next.value)
      inLine += 1
    }
    if (!(await start(child))) return false
  }
  // What has started has used it up; a child may have been removed.
  if (run.prepared.length > 0) await discardPrepared(run)
  return true
}

export async function discardPrepared(run: Run): Promise<void> {
  await Promise.all(run.prepared.splice(0).map(async (child) => child.body.discard?.()))
}
