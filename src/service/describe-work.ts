import type { Beacon } from '../beacon/beacon.ts'
import type { WorkEntry } from '../wire/facts.ts'
import { NODE, type ServiceNode } from './node.ts'
import type { ServiceView } from './types.ts'

/** The tasks and futures of a service and all below it, through threads. Never rejects. */
export async function describeWork(root: Beacon<ServiceView>): Promise<WorkEntry[]> {
  const found: Promise<readonly WorkEntry[]>[] = []
  for (const beacon of root.traverse()) {
    // Mirrors have none: their handle answers for them.
    const node = (beacon.data as { [NODE]?: ServiceNode })[NODE]
    if (node) found.push(workOf(node, root.path.length))
  }
  return (await Promise.all(found)).flat()
}

async function workOf(node: ServiceNode, rootLength: number): Promise<readonly WorkEntry[]> {
  const { lifecycle, run, beacon } = node
  const path = beacon.path.slice(rootLength)
  if (!lifecycle.describeWork) return [{ path, names: run.work.pending }]
  const below = await lifecycle.describeWork()
  return below.map((entry) => ({ ...entry, path: path + entry.path }))
}
