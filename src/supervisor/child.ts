import { isElsewhere } from '../wire/facts.ts'
import type { Duration } from '../base/duration.ts'
import { oneOf, toMilliseconds } from '../errors/arguments.ts'
import { NODE, type ServiceNode, nodeOf } from '../service/node.ts'
import type { TeardownRecord } from '../wire/records.ts'
import type { ServiceLike } from '../service/types.ts'

/** OTP's restart types. */
export type RestartType = 'permanent' | 'transient' | 'temporary'

/** A child and how its supervisor is to treat it. */
export interface ChildSpec {
  /** The child, or a handle on it. */
  service: ServiceLike
  /**
   * When it is restarted. `'permanent'`: always restarted, also after it was stopped by anyone but the supervisor. `'transient'`:
   * only after a crash. `'temporary'`: never, neither for its own crash nor along with its siblings.
   * @default 'permanent'
   */
  restart?: RestartType
  /**
   * How long its stop may take when its supervisor is to restart it, in milliseconds or with a unit. Beyond it a thread is
   * ended; a child that may run on inline is not started beside itself: the supervisor crashes with `ERR_STOP_TIMEOUT`.
   * @default '10s'
   */
  stopTimeout?: Duration
}

export const DEFAULT_STOP_TIMEOUT_MS = 10_000
const TYPES: readonly RestartType[] = ['permanent', 'transient', 'temporary']

/** The place of a child under its supervisor; a replacement takes it over. */
export interface Slot {
  node: ServiceNode
  readonly restart: RestartType
  /** Milliseconds. */
  readonly stopTimeout: number
  /** It is being removed, or has been. */
  removed: boolean
  /** The start that is under way at the supervisor's hands; whoever sets it keeps it, to know it for its own. */
  attempt: object | undefined
  unsubscribe: () => void
}

/** @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_DURATION` */
export function slotFor(given: ServiceLike | ChildSpec): Slot {
  // A service may have fields of the same names as a spec: what has a node is a service.
  const spec: ChildSpec = isService(given) ? { service: given } : given
  const { service, restart = 'permanent', stopTimeout = DEFAULT_STOP_TIMEOUT_MS } = spec ?? {}
  const node = nodeOf(service)
  oneOf('restart', restart, TYPES)
  const timeout = toMilliseconds(stopTimeout)
  return { node, restart, stopTimeout: timeout, removed: false, attempt: undefined, unsubscribe: () => {} }
}

function isService(given: ServiceLike | ChildSpec): given is ServiceLike {
  return (given as { [NODE]?: unknown } | null | undefined)?.[NODE] !== undefined
}

/**
 * What was abandoned in the last stop of a service, and so may run on. What ran in a thread does not: the thread has
 * been ended.
 */
export function leftRunning(record: TeardownRecord | undefined): { path: string; phase: string } | undefined {
  if (!record || isElsewhere(record.isolation)) return undefined
  const own = record.errors.find(({ code }) => code === 'ERR_STOP_TIMEOUT')
  if (own) return { path: record.path, phase: own.phase }
  for (const child of record.children) {
    const below = leftRunning(child)
    if (below) return below
  }
  return undefined
}
