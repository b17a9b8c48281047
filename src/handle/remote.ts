import type { CallTrace } from '../observe/trace-call.ts'
import type { CallOptions } from '../rpc/client.ts'
import type { Offer } from '../rpc/line.ts'
import type { Location, PlaceKind } from '../wire/facts.ts'

/** A way to the real service, of one of its runs. */
export interface Channel {
  /** Where its other end is; undefined once that is gone. */
  readonly location: Location | undefined
  /** What can be called, once known. */
  readonly methods: ReadonlySet<string> | undefined
  call(method: string, args: readonly unknown[], options?: CallOptions, trace?: CallTrace): Promise<unknown>
  /** An address that leads straight to the service, for somebody else; undefined where there is none. */
  connect(): Offer | undefined
}

/** What a handle needs of what is behind it, beside the state machine's needs. */
export interface Remote {
  readonly label: string
  readonly isolation: PlaceKind
  /** Milliseconds that a call waits for a start under way. */
  readonly startTimeout: number
  /** Undefined while there is no run. */
  readonly channel: Channel | undefined
}
