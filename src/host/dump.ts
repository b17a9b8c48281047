import type { Beacon } from '../beacon/beacon.ts'
import { describeWork } from '../service/describe-work.ts'
import type { ServiceNode } from '../service/node.ts'
import type { ServiceView } from '../service/types.ts'

/** The tree as it stands, each line with the tasks and futures that the service is running, wherever it lives. */
export async function dumpTree(root: Beacon<ServiceView>): Promise<string> {
  const entries = await describeWork(root)
  const work = new Map(entries.map((entry) => [root.path + entry.path, entry]))
  const lines = root.toTree().split('\n')
  const stacks: string[] = []
  // toTree() has a line for each beacon, depth first: the same walk tells which line is whose.
  const rest = [root]
  for (let index = 0, next = rest.pop(); next; index++, next = rest.pop()) {
    rest.push(...next.children.toReversed())
    const { names = [], silent } = work.get(next.path) ?? {}
    if (names.length > 0) lines[index] += ` · running: ${names.join(', ')}`
    if (!silent) continue
    lines[index] += ' · no answer'
    if (silent.stack) stacks.push(`${next.path} does not answer; its thread is in:\n${silent.stack}`)
  }
  return [...lines, ...stacks].join('\n')
}

/** The services that hold up a stop, with the step each is in: not those that only wait for their children. */
export function stillStopping(node: ServiceNode): string[] {
  const { state, run } = node
  if (!node.inRun || state === 'running' || state === 'starting') return []
  const below = node.children.flatMap(stillStopping)
  if (below.length > 0) return below
  const pending = run.work.pending
  const detail =
    run.step === 'futures' && pending.length > 0 ? `${run.step}: ${pending.join(', ')}` : run.step
  return [`${node.beacon.path} (${detail})`]
}
