import type { TransferListItem } from 'node:worker_threads'

/** What is moved instead of copied. */
export type Transferable = TransferListItem

/** How a connection makes of values what it carries. */
export interface Codec {
  /**
   * The value as it would arrive on the other side.
   * @throws an error named DataCloneError for what cannot cross
   */
  readonly copy: (value: unknown, transferList?: readonly Transferable[]) => unknown
}

/** Between the threads of a process. */
export const structuredCloneCodec: Codec = {
  copy: (value, transferList = []) =>
    structuredClone(value, transferList.length > 0 ? { transfer: [...transferList] as never[] } : undefined),
}
