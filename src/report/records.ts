import type { PlaceKind } from '../wire/facts.ts'
import { tenths } from './milliseconds.ts'

/** What the records of a start and of a teardown have in common. */
interface ServiceRecord {
  readonly path: string
  readonly label: string
  readonly isolation: PlaceKind
  readonly threadId?: number
  readonly pid?: number
  readonly outcome: string
  readonly beganAt: number
  readonly totalMs: number
}

type Identity = Pick<ServiceRecord, 'path' | 'label' | 'isolation' | 'threadId' | 'pid'>

export function identityOf({ path, label, isolation, threadId, pid }: ServiceRecord): Identity {
  return {
    path,
    label,
    isolation,
    ...(threadId === undefined ? {} : { threadId }),
    ...(pid === undefined ? {} : { pid }),
  }
}

/** Nothing for one that has not started. */
export function timesOf(
  { outcome, beganAt, totalMs }: ServiceRecord,
  wholeBeganAt: number,
): { startedAtMs?: number; totalMs?: number } {
  if (outcome === 'not-started') return {}
  return { startedAtMs: tenths(beganAt - wholeBeganAt), totalMs: tenths(totalMs) }
}

/** Depth first. A tree may be deeper than the stack. */
export function* inOrder<R extends { readonly children: readonly R[] }>(root: R): Generator<R> {
  const rest = [root]
  for (let next = rest.pop(); next; next = rest.pop()) {
    yield next
    rest.push(...next.children.toReversed())
  }
}
