import type { PlaceKind } from '../wire/facts.ts'
import type { ServiceNode } from './node.ts'
import type { ServiceState, StopOptions } from './types.ts'

/** How stop, crash and restart reach a service whose life is in the hands of a node elsewhere. */
export interface Steering {
  start?(): Promise<void>
  maybeStart?(): Promise<boolean>
  crash?(reason: unknown): Promise<void>
  stop(options: StopOptions | undefined): Promise<void>
  restart(): Promise<void>
}

/** What a node knows of its other side. */
export interface Elsewhere {
  /** Its full path over there, which is its path here. */
  readonly path: string
  readonly steering: Steering
  /** The label that its handle was given, in place of its own. */
  readonly label?: string | undefined
  /** The kind of place that it is the root of. */
  readonly place?: PlaceKind
  /** The node of its handle, where both live on one thread. */
  readonly handle?: ServiceNode | undefined
  /** Where its parent is, in words, for one that has none here. */
  readonly parent?: string
}

/**
 * Makes `node` the real service behind a handle, which steers it. `restarts` counts those until now, the one included
 * that is about to begin if `restart` says so.
 */
export function putBehindHandle(
  node: ServiceNode,
  { restart, restarts, ...elsewhere }: Elsewhere & { readonly restart: boolean; readonly restarts: number },
): void {
  node.standsFor(elsewhere)
  // beginStart counts the restart that this start is.
  node.restartsCounted(restarts - (restart ? 1 : 0))
}

/** What the other side tells of a service. */
export interface RemoteState {
  readonly state: ServiceState
  readonly started: boolean
  readonly restarts: number
  readonly reason: unknown
}

/** Lets `node`, which runs nothing itself, show what became of the service that it stands for. */
export function followRemote(node: ServiceNode, { state, started, restarts, reason }: RemoteState): void {
  node.restartsCounted(restarts)
  if (node.state === state) return
  // A start that was missed shows in what comes after it.
  if (state === 'starting' || node.state === 'init' || node.state === 'stopped') node.runBegins()
  if (started) node.run.start.ranElsewhere()
  node.changedElsewhere(state, reason)
}
