import type { Beacon, BeaconData, BeaconEvent } from '../beacon/beacon.ts'
import { encodeError } from '../errors/encode.ts'
import type { ServiceView } from '../service/types.ts'
import {
  type Place,
  type TreeChange,
  type TreeFacts,
  type TreeNode,
  isElsewhere,
  PLACE,
} from '../wire/facts.ts'

/** Tells of everything that changes below `root`, whose own id is 0, until the returned function is called. */
export function watchTree(root: Beacon<ServiceView>, tell: (change: TreeChange) => void): () => void {
  const ids = new WeakMap<object, number>([[root, 0]])
  const reasons = new Map<unknown, number>()
  let lastId = 0

  const idOf = (beacon: object): number => {
    let id = ids.get(beacon)
    if (id === undefined) ids.set(beacon, (id = ++lastId))
    return id
  }
  const factsOf = ({ data }: Beacon<ServiceView>): TreeFacts => {
    const { kind, location }: Partial<Place> = (data as BeaconData)[PLACE] ?? {}
    return {
      label: data.label,
      shortLabel: data.shortLabel,
      state: data.state,
      started: data.started,
      restartCount: data.restartCount,
      ...(kind && isElsewhere(kind) ? { isolation: kind } : {}),
      ...(location ? { location } : {}),
      ...(data.state === 'crashed' ? { reason: reasonOf(data.crashReason) } : {}),
    }
  }
  const reasonOf = (reason: unknown): NonNullable<TreeFacts['reason']> => {
    const known = reasons.get(reason)
    if (known !== undefined) return { ref: known }
    const ref = reasons.size + 1
    reasons.set(reason, ref)
    return { ref, value: encodeError(reason) }
  }
  const nodeOf = (beacon: Beacon<ServiceView>): TreeNode => ({
    id: idOf(beacon),
    facts: factsOf(beacon),
    children: beacon.children.map(nodeOf),
  })

  for (const child of root.children) tell({ op: 'attach', parent: 0, node: nodeOf(child) })
  return root.observe((event: BeaconEvent<ServiceView>) => {
    const { beacon } = event
    if (event.type === 'attach') tell({ op: 'attach', parent: idOf(event.parent), node: nodeOf(beacon) })
    else if (event.type === 'detach') tell({ op: 'detach', id: idOf(beacon) })
    else if (beacon !== root) tell({ op: 'change', id: idOf(beacon), facts: factsOf(beacon) })
  })
}
