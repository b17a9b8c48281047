import type { Beacon } from '../beacon/beacon.ts'
import type { ServiceNode } from '../service/node.ts'
import { Service } from '../service/service.ts'
import type { ServiceView } from '../service/types.ts'

/** The tree as it stands, each line with the tasks and futures that the service is running. */
export function dumpTree(root: Beacon<ServiceView>): string {
  const lines = root.toTree().split('\n')
  // toTree() has a line for each beacon, depth first: the same walk tells which line is whose.
  const rest = [root]
  for (let index = 0, next = rest.pop(); next; index++, next = rest.pop()) {
    const work = pendingWork(next.data)
    if (work.length > 0) lines[index] += ` · running: ${work.join(', ')}`
    rest.push(...next.children.toReversed())
  }
  return lines.join('\n')
}

/** Only of services on this side: a handle would take the name for a remote method. */
function pendingWork(view: ServiceView): string[] {
  return view instanceof Service ? view.pendingWork() : []
}

/** The services that hold up a stop, with the step each is in: not those that only wait for their children. */
export function stillStopping(node: ServiceNode): string[] {
  const { state, run } = node
  if (!node.inRun || state === 'running' || state === 'starting') return []
  const below = node.children.flatMap(stillStopping)
  if (below.length > 0) return below
  const pending = run.work.pending
  const detail =
    run.phase === 'futures' && pending.length > 0 ? `${run.phase}: ${pending.join(', ')}` : run.phase
  return [`${node.beacon.path} (${detail})`]
}
