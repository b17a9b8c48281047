import type { MessagePort } from 'node:worker_threads'
import type { EncodedThrow } from '../errors/encode.ts'
import type { EnvironmentChange, HandedHandle, RemoteStart, TreeChange, WorkEntry } from './facts.ts'
import type { Packed } from './pack.ts'
import type { TeardownRecord } from './records.ts'

/** The first message to the service's side: what it is to serve. */
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
  /** Since the thread was spawned. */
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

/** From the handle's side to the service's. Calls go beside them, in Comlink's own format. */
export type ToService =
  | { readonly kind: 'stop'; /** Milliseconds left. */ readonly timeout: number }
  | { readonly kind: 'crash'; readonly reason: EncodedThrow }
  | { readonly kind: 'set-shutdown' }
  /** What `steer` asked for is under way already: no stop of this run will come of it. */
  | { readonly kind: 'steer-joined' }
  | { readonly kind: 'log-level'; readonly level: string }
  /** What are its tasks and futures, and those of all below it? */
  | { readonly kind: 'describe-work'; readonly id: number }
  /** Somebody else calls over this port, from now until it closes. */
  | { readonly kind: 'connect'; readonly port: MessagePort }
  /** The caller of this call no longer waits. */
  | { readonly kind: 'cancel-call'; readonly id: number; readonly reason: EncodedThrow }

/** From the service's side to the handle's. Log lines go beside them, see line.ts. */
export type FromService =
  /** The module is loaded and the instance made. */
  | { readonly kind: 'loaded'; readonly methods: readonly string[] }
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'started'; readonly start: RemoteStart }
  | { readonly kind: 'start-failed'; readonly error: EncodedThrow; readonly start: RemoteStart }
  | { readonly kind: 'crashed'; readonly reason: EncodedThrow }
  /** `this.stop()` and `this.restart()` in the service act on the handle. */
  | { readonly kind: 'steer'; readonly verb: 'stop'; readonly timeout: number }
  | { readonly kind: 'steer'; readonly verb: 'restart' }
  /** The teardown is over; the thread ends by itself. */
  | { readonly kind: 'down'; readonly errors: readonly EncodedThrow[]; readonly record: TeardownRecord }
  | { readonly kind: 'leftovers'; readonly resources: readonly string[] }
  /** The last word before an uncaught error ends the thread. */
  | { readonly kind: 'uncaught'; readonly error: EncodedThrow }
  /** What the thread wrote to its stdout or stderr. */
  | { readonly kind: 'output'; readonly to: 'stdout' | 'stderr'; readonly chunk: string | Uint8Array }
  | { readonly kind: 'work'; readonly id: number; readonly work: readonly WorkEntry[] }
  | { readonly kind: 'tree'; readonly change: TreeChange }

/** Comlink's call message, as far as handles use it. Small ones may come together: see batch.ts. */
export interface CallMessage {
  readonly id: number
  readonly type: 'APPLY'
  readonly path: readonly [method: string]
  readonly argumentList: readonly WireValue[]
}

export type WireValue =
  | { readonly type: 'RAW'; readonly value: unknown }
  | { readonly type: 'HANDLER'; readonly name: string; readonly value: unknown }

export type ReplyMessage = WireValue & { readonly id: number }

/** What stands in a `HANDLER` reply of ours. */
export type Answer =
  | { readonly value: Packed }
  | { readonly thrown: EncodedThrow }
  /** The result could not be cloned, for this reason. */
  | { readonly unclonable: string }

/** What stands in the one `HANDLER` argument of a call that needs more than plain values. */
export interface CallPacket {
  readonly args: Packed
  /** The id by which it can be cancelled, for a call that can. */
  readonly cancelId?: number
}

/** Use of what the other side has exported. Rides beside the calls, so that a callback comes before the result. */
export type ReferenceMessage =
  | {
      readonly kind: 'invoke'
      readonly target: number
      readonly method: 'call' | 'next' | 'return'
      readonly call: number
      readonly args: Packed
    }
  | { readonly kind: 'outcome'; readonly call: number; readonly answer: Answer }
  | { readonly kind: 'release'; readonly target: number }
  | { readonly kind: 'handle'; readonly target: number; readonly now: HandedHandle }
  | { readonly kind: 'abort'; readonly target: number; readonly reason: EncodedThrow }
