import type { EncodedThrow } from '../errors/encode.ts'
import type {
  EnvironmentChange,
  HandedHandle,
  PlaceKind,
  RemoteStart,
  TreeChange,
  WorkEntry,
} from './facts.ts'
import type { Packed } from './pack.ts'
import type { TeardownRecord } from './records.ts'

// Every message is a tuple with its tag in the first place, by which route() tells them apart. Beside them only
// Comlink's own messages go over a connection: objects, in comlink-messages.ts.

/** What the service's side is to serve. */
export interface Boot {
  /** URL of the service module. */
  readonly module: string
  /** Name of the export that holds the class. */
  readonly exportName: string
  readonly args: Packed
  /** Of the handle, if it was given one: the service then goes by it too. */
  readonly label: string | undefined
  /** Path of the handle in the whole tree. */
  readonly path: string
  readonly restart: boolean
  readonly restartCount: number
  readonly limits: CallLimits
  readonly logLevel: string
  /** The kind of place that this is, as the handle has it. */
  readonly isolation: PlaceKind
  /** What has become of the environment since the place was made. */
  readonly environment: EnvironmentChange | undefined
}

export interface CallLimits {
  /** Calls that run at once. */
  readonly concurrency: number
  /** Calls that wait for that. */
  readonly maxQueue: number
  /** Milliseconds that calls in flight have to finish before onStop. */
  readonly drainTimeout: number
}

/** From the handle's side to the service's. */
export type ToService =
  /** The first message. */
  | readonly [tag: 'boot', boot: Boot]
  /** Milliseconds that are left for it. */
  | readonly [tag: 'stop', timeout: number]
  | readonly [tag: 'crash', reason: EncodedThrow]
  | readonly [tag: 'set-shutdown']
  /** What `steer` asked for is under way already: no stop of this run will come of it. */
  | readonly [tag: 'steer-joined']
  | readonly [tag: 'log-level', level: string]
  /** Asks for its tasks and futures, and those of all below it. */
  | readonly [tag: 'describe-work', id: number]
  /** Somebody else calls by way of this address, from now on. */
  | readonly [tag: 'connect', address: unknown]
  | CallMessage

/** From the service's side to the handle's. */
export type FromService =
  /** The module is loaded and the instance made. */
  | readonly [tag: 'loaded', methods: readonly string[]]
  | readonly [tag: 'step', step: string]
  | readonly [tag: 'started', start: RemoteStart]
  | readonly [tag: 'start-failed', error: EncodedThrow, start: RemoteStart]
  | readonly [tag: 'crashed', reason: EncodedThrow]
  /** `this.stop()` and `this.restart()` in the service act on the handle. */
  | readonly [tag: 'steer', verb: 'stop', timeout: number]
  | readonly [tag: 'steer', verb: 'restart']
  /** The teardown is over; the place ends by itself. */
  | readonly [tag: 'down', errors: readonly EncodedThrow[], record: TeardownRecord]
  | readonly [tag: 'leftovers', resources: readonly string[]]
  /** The last word before an uncaught error ends the place. */
  | readonly [tag: 'uncaught', error: EncodedThrow]
  /** What was written to stdout or stderr there. */
  | readonly [tag: 'output', to: 'stdout' | 'stderr', chunk: string | Uint8Array]
  | readonly [tag: 'work', id: number, work: readonly WorkEntry[]]
  | readonly [tag: 'tree', change: TreeChange]
  | RelayedEvent
  /** A log line: see logging/line.ts. */
  | readonly [tag: 'log', ...line: readonly unknown[]]
  | ReplyBatch

/** Something that happened there; the reason apart, because it is encoded. */
export type RelayedEvent =
  | readonly [tag: 'event', kind: 'crash', context: RelayedContext, reason: EncodedThrow]
  | readonly [tag: 'event', kind: 'hang', context: RelayedContext & { forMs: number; stack?: string }]
  | readonly [tag: 'event', kind: 'supervisor', context: RelayedSupervisor, reason: EncodedThrow]

interface RelayedContext {
  readonly service: string
  readonly isolation: PlaceKind
}

interface RelayedSupervisor extends RelayedContext {
  readonly type: string
  readonly path: string
  readonly restarts: number
  readonly delayMs?: number
  readonly at: number
}

/** From who calls, beside Comlink's own words. */
export type CallMessage =
  /** Small calls that were made together: `id, method, number of arguments, ...arguments` of each. */
  | readonly [tag: 'calls', ...parts: readonly unknown[]]
  /** Who made this call no longer waits. */
  | readonly [tag: 'cancel', id: number, reason: EncodedThrow]

/** Small results that are told together: `id, value` of each. */
export type ReplyBatch = readonly [tag: 'replies', ...parts: readonly unknown[]]

/** Use of what the other side has exported. It rides beside the calls, so that a callback comes before the result. */
export type ReferenceMessage =
  | readonly [tag: 'invoke', target: number, method: 'call' | 'next' | 'return', call: number, args: Packed]
  | readonly [tag: 'outcome', call: number, answer: Answer]
  | readonly [tag: 'release', target: number]
  | readonly [tag: 'handle', target: number, now: HandedHandle]
  | readonly [tag: 'abort', target: number, reason: EncodedThrow]

/** What stands in a `HANDLER` reply of ours. */
export type Answer =
  | { readonly value: Packed }
  | { readonly thrown: EncodedThrow; /** The method never ran. */ readonly refused?: true }
  /** The result could not be cloned, for this reason. */
  | { readonly unclonable: string }

/** What stands in the one `HANDLER` argument of a call that needs more than plain values. */
export interface CallPacket {
  readonly args: Packed
  /** The id by which it can be cancelled, for a call that can. */
  readonly cancelId?: number
}
