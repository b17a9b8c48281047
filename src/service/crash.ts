import { isInside, runOutside } from './context.ts'
import type { ServiceNode } from './node.ts'
import { lifeObserver } from './observer.ts'
import type { Run } from './run.ts'
import { teardown, topOfTeardown } from './stop.ts'
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
    runOutside(() => markAndTearDown(node, reason, log))
  } else if (node.state !== 'crashed') {
    node.lifecycle.problem(
      reason,
      `A crash was reported while ${node.state}; nothing is running, so nothing is torn down`,
    )
    return
  }
  if (fromInside) return
  // Marked by a crash elsewhere: its turn in the teardown may wait for the caller's own work.
  if (node.awaitsTurn && isInside(topOfTeardown(node))) return
  await node.ended
}

function markAndTearDown(node: ServiceNode, reason: unknown, log: boolean): void {
  const chain: ServiceNode[] = [node]
  for (let at = node; !at.supervisor && at.parent?.isUp; at = at.parent) chain.push(at.parent)
  // A supervisor passes a crash up with its reason: it began in the child.
  const passedOn = Array.from(node.eachChild()).some(
    (child) => child.state === 'crashed' && child.crashReason === reason,
  )
  const announce = mark(chain, reason, passedOn ? undefined : node)
  // Of what crashes together only the topmost may still come back by itself.
  for (const each of chain.slice(0, -1)) each.cancelRestart()
  let below: Run | undefined
  for (const each of chain) {
    scheduleTeardown(each, below)
    below = each.run
  }
  lifeObserver()?.crashed(node, reason, { isTold: !log, isPassedOn: passedOn })
  announce()
}

/** Marks what is up from here down, for a crash that began elsewhere and whose teardown comes from there in its turn. */
export function markCrashed(node: ServiceNode, reason: unknown): void {
  mark([node], reason, undefined)()
}

/**
 * States first; the returned function tells of them: whoever is told sees the whole crash, not half of it. `origin` is
 * where it began, if that is here.
 */
function mark(
  subtrees: readonly ServiceNode[],
  reason: unknown,
  origin: ServiceNode | undefined,
): () => void {
  const marked: { node: ServiceNode; previous: ServiceState }[] = []
  const visit = (node: ServiceNode): void => {
    if (!isUp(node.state)) return
    const previous = node.crashed({ reason, beganHere: node === origin, inStart: false })
    marked.push({ node, previous })
    for (const child of node.eachChild()) visit(child)
  }
  for (const subtree of subtrees) visit(subtree)
  return () => {
    for (const { node, previous } of marked) node.announce(previous, reason)
  }
}

/** After the teardown below it; one that is stopping already goes on as its own teardown. */
function scheduleTeardown(node: ServiceNode, below: Run | undefined): void {
  const { run } = node
  const budget = run.stop.budgetFor(node.clock)
  // A deadline set on a service further up bounds the teardown that it waits for, too.
  below?.stop.wantedWithin(budget)
  // Even the first begins a turn later: those who listen hear of the crash before its teardown.
  if (!run.stop.down) run.stop.scheduled('crash', teardown(node, run, below?.stop.down))
}
