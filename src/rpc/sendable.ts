import type { Codec } from '../wire/codec.ts'
import { type Marshaller, pack } from '../wire/pack.ts'
import { handleMarshaller } from './handle-marshaller.ts'
import { isAsyncIterable } from './iterable.ts'

/** Whether a value can be cloned once it is packed: to name the one that cannot. */
export function isSendable(value: unknown, codec: Codec): boolean {
  try {
    codec.copy(pack(value, DRY).packed)
    return true
  } catch {
    return false
  }
}

/** Only looks: nothing is exported, no iterator made. */
const DRY: Marshaller = {
  export: (value) => {
    const portable =
      typeof value === 'function' ||
      value instanceof AbortSignal ||
      isAsyncIterable(value) ||
      handleMarshaller().isHandle(value)
    return portable ? { type: 'function', target: 0 } : undefined
  },
  import: () => undefined,
}
