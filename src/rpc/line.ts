import type { Codec, Transferable } from '../wire/codec.ts'

/** @throws an error named DataCloneError, when the message cannot cross */
export type Post = (message: unknown, transferList?: readonly Transferable[]) => void

/** An address on its way to somebody else, and what of it has to be moved there. */
export interface Offer {
  readonly address: unknown
  readonly transfer: readonly Transferable[]
}

/** A way over which messages go, as calls need it. What it is made of is the transport's business. */
export interface Line {
  readonly codec: Codec
  /**
   * Whether messages that are made in one turn may travel together: not where both ends are on one thread, on which a
   * held call would run as whoever came first in its turn.
   */
  readonly batches: boolean
  readonly post: Post
  /** Who hears what the other side says. */
  listen(receive: (message: unknown) => void): void
  /** Another way to the same service, for somebody else. Undefined where none can be had: then one's own is shared. */
  readonly connect?: () => Offer
  /** The line that an address leads to which came over this one. */
  readonly dial: (address: unknown) => DirectLine
}

/** A line of its own to a service that somebody else's connection keeps alive. */
export interface DirectLine extends Line {
  /** Calls `closed` once, when either end has closed it. */
  onClose(closed: () => void): void
  close(): void
  /** Whether the process goes on for its sake. */
  ref(): void
  unref(): void
}
