import type { EncodedThrow } from '../errors/encode.ts'
import type { StartRecord } from './records.ts'

/** Where a service is in its life. */
export type ServiceState = 'init' | 'starting' | 'running' | 'stopping' | 'stopped' | 'crashed'

/** Where a service lives while it is up. */
export type Location =
  | { readonly kind: 'inline' | 'thread'; readonly threadId: number }
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'remote'; readonly address: string }

/** The kind of place that a service lives in. */
export type PlaceKind = Location['kind']

/** The place that a service has to itself. */
export interface Place {
  readonly kind: PlaceKind
  /** Undefined while it is not up. */
  readonly location: Location | undefined
}

/** Where handles and mirrors say which place is theirs. */
export const PLACE: unique symbol = Symbol.for('bulkhead.place') as never

/** Whether what lives there runs on a thread other than that of who looks, and ends with its place. */
export function isElsewhere(kind: PlaceKind | undefined): boolean {
  return kind !== undefined && kind !== 'inline'
}

export function threadIdOf(location: Location | undefined): number | undefined {
  return location && 'threadId' in location ? location.threadId : undefined
}

/** A location in the fields that views, records and reports have for it. */
export interface LocationFields {
  readonly threadId?: number
  readonly pid?: number
}

/** What one service is doing. */
export interface WorkEntry {
  /** Below the service that was asked, whose own is empty: `/child/grandchild`. */
  readonly path: string
  /** Of the tasks and futures that run. */
  readonly names: readonly string[]
  /** Its place did not answer; with the JavaScript stack it is in, if that can be read. */
  readonly silent?: { readonly stack: string | undefined }
}

/** What has become of environment variables since another thread took its copy of them. */
export interface EnvironmentChange {
  readonly set: Readonly<Record<string, string>>
  readonly removed: readonly string[]
}

/** How a service started, as its own side saw it. */
export interface RemoteStart {
  /** When this library began there: see Clock.now(). */
  readonly servedAt: number
  /** Milliseconds. */
  readonly moduleLoad?: number
  /** Milliseconds. */
  readonly construction?: number
  /** Undefined when there is no instance. */
  readonly record: StartRecord | undefined
}

/** A change in the graph below the service, whose own id is 0. */
export type TreeChange =
  | { readonly op: 'attach'; readonly parent: number; readonly node: TreeNode }
  | { readonly op: 'detach'; readonly id: number }
  | { readonly op: 'change'; readonly id: number; readonly facts: TreeFacts }

export interface TreeNode {
  readonly id: number
  readonly facts: TreeFacts
  readonly children: readonly TreeNode[]
}

export interface TreeFacts {
  readonly label: string
  readonly shortLabel: string
  readonly state: ServiceState
  readonly started: boolean
  readonly restartCount: number
  /** The kind of place, of one with a place of its own. */
  readonly isolation?: PlaceKind
  /** Undefined while it is not up. */
  readonly location?: Location
  /** Of a crashed one. The same number stands for the same reason, which is told the first time. */
  readonly reason?: { readonly ref: number; readonly value?: EncodedThrow }
}

/** What a handle elsewhere shows of the service. */
export interface HandleFacts {
  readonly label: string
  readonly path: string
  readonly state: ServiceState
  readonly started: boolean
  readonly restartCount: number
  readonly isolation: PlaceKind
  /** Undefined while it is not up. */
  readonly location?: Location
  readonly methods?: readonly string[]
  /** Of a crashed one. */
  readonly reason?: EncodedThrow
}

/** A handle on its way: facts, and while it runs an address that leads straight to the service, if there is one. */
export interface HandedHandle {
  readonly facts: HandleFacts
  /** Of whatever kind the transport understands whose connection it came over. */
  readonly address?: unknown
}
