import type { MessagePort } from 'node:worker_threads'
import type { CallOptions } from '../rpc/client.ts'

/** A way to the real service, of one of its runs. */
export interface Channel {
  /** Of the thread at its end; undefined once that is gone. */
  readonly threadId: number | undefined
  /** What can be called, once known. */
  readonly methods: ReadonlySet<string> | undefined
  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>
  /** A new port that leads straight to the service, for somebody else. */
  connect(): MessagePort
}

/** What a handle needs of what is behind it, beside the state machine's needs. */
export interface Remote {
  readonly label: string
  /** Whether it lives in a thread of its own. */
  readonly isolated: boolean
  /** Milliseconds that a call waits for a start under way. */
  readonly startTimeout: number
  /** Undefined while there is no run. */
  readonly channel: Channel | undefined
}
