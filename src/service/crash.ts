import { Budget } from '../base/budget.ts'
import { isInside } from './context.ts'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'
import { teardown } from './stop.ts'
import { isUp } from './state.ts'
import type { ServiceState } from './types.ts'

interface CrashOptions {
  /** False when the other side of a thread has told the log already. */
  readonly log?: boolean
}

/**
 * Marks the service, its ancestors up to the first that has a supervisor or is a root, and whatever is up below them,
 * all in this turn; then tears them down, from here upwards. Resolves when this service's own subtree is down.
 */
export async function crashNode(
  node: ServiceNode,
  reason: unknown,
  { log = true }: CrashOptions = {},
): Promise<void> {
  const fromInside = isInside(node)
  if (node.isUp) {
    markAndTearDown(node, reason, log)
  } else if (node.state !== 'crashed') {
    node.body.problem(reason, `A crash was reported while ${node.state}; nothing is running, so nothing is torn down`)
    return
  }
  // Marked by a crash elsewhere, and its turn in the teardown is still to come.
  if (!fromInside) await (node.run.down ?? downOf(node))
}

async function downOf(node: ServiceNode): Promise<void> {
  let above: ServiceNode | undefined = node.parent
  while (above && !above.run.down) above = above.parent
  await above?.run.down
}

function markAndTearDown(node: ServiceNode, reason: unknown, log: boolean): void {
  const chain: ServiceNode[] = [node]
  for (let at = node; !at.supervisor && at.parent?.isUp; at = at.parent) chain.push(at.parent)
  node.run.crashBeganHere = true

  // States first, effects after: whoever is told sees the whole crash, not half of it.
  const marked: { node: ServiceNode; previous: ServiceState }[] = []
  const mark = (at: ServiceNode): void => {
    if (!isUp(at.state)) return
    marked.push({ node: at, previous: at.state })
    at.state = 'crashed'
    at.crashReason = reason
    at.run.crashedWith = { reason }
    for (const child of at.eachChild()) mark(child)
  }
  for (const link of chain) mark(link)

  let below: Run | undefined
  for (const link of chain) {
    scheduleTeardown(link, below)
    below = link.run
  }
  if (log) node.body.problem(reason, 'Crashed')
  for (const { node: at, previous } of marked) at.announce(previous, reason)
}

/** After the teardown below it; one that is stopping already goes on as its own teardown. */
function scheduleTeardown(node: ServiceNode, below: Run | undefined): void {
  const { run } = node
  run.budget ??= new Budget(node.clock)
  // A deadline set on a service further up bounds the teardown that it waits for, too.
  if (below?.budget) run.budget.lead(below.budget)
  const before = below?.down ?? Promise.resolve()
  // Even the first begins a turn later: those who listen hear of the crash before its teardown.
  run.down ??= before.then(() => teardown(node, run))
}
