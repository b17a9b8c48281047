import { CONTENTS, Copier, type CopyRules, isContainer, isImmutable, someWithin } from '../base/walk.ts'
import { decodeError } from '../errors/decode.ts'
import { type EncodedThrow, encodeError } from '../errors/encode.ts'
import { revive } from '../errors/revive.ts'
import type { Transferable } from './codec.ts'
import type { HandedHandle } from './facts.ts'

/** What structured clone cannot take across, or not whole, and what stands for it. */
export type Surrogate =
  | { readonly type: 'buffer'; readonly bytes: Uint8Array }
  | { readonly type: 'error'; readonly error: EncodedThrow }
  | { readonly type: 'function'; readonly target: number }
  | { readonly type: 'signal'; readonly target: number; readonly aborted?: EncodedThrow }
  | { readonly type: 'iterable'; readonly target: number }
  | { readonly type: 'handle'; readonly target: number; readonly handed: HandedHandle }

/**
 * A value on its way to another thread. In the place of each surrogate stands its mark, an object known by identity,
 * which structured clone keeps within one message.
 */
export interface Packed {
  readonly value: unknown
  readonly surrogates?: readonly (readonly [mark: object, surrogate: Surrogate])[]
}

/** Turns what is bound to this side (functions, signals, iterables) into surrogates, and back. */
export interface Marshaller {
  /** Undefined for what crosses as it is, or not at all. `move` is told what of it has to be moved. */
  export(value: object, move: (items: readonly Transferable[]) => void): Surrogate | undefined
  import(surrogate: Surrogate): unknown
}

/** Marks a value whose buffers and ports are moved instead of copied. */
class Transfer {
  readonly value: unknown
  readonly list: readonly Transferable[]
  constructor(value: unknown, list: readonly Transferable[]) {
    this.value = value
    this.list = list
  }
}

/**
 * Moves instead of copying, in arguments and results: `transfer(bytes)` moves the memory of a buffer or a port,
 * `transfer(value, list)` what `list` names within `value`.
 */
export function transfer<T>(value: T, list?: readonly Transferable[]): T {
  return new Transfer(value, list ?? transferablesOf(value)) as unknown as T
}

function transferablesOf(value: unknown): Transferable[] {
  // Not the memory of a Buffer from the pool, which it shares with others: that is copied all the same.
  if (ArrayBuffer.isView(value)) {
    const whole = value.byteLength === value.buffer.byteLength
    return whole && value.buffer instanceof ArrayBuffer ? [value.buffer] : []
  }
  return [value as Transferable]
}

export interface PackResult {
  readonly packed: Packed
  readonly transferList: readonly Transferable[]
}

/** Never copies what needs no change. */
export function pack(value: unknown, marshaller: Marshaller): PackResult {
  // Arguments and results are mostly few and small: these pay for nothing else.
  if (
    isImmutable(value) ||
    (Array.isArray(value) && value.every(isImmutable)) ||
    !someWithin(value, needsPacking)
  )
    return { packed: { value }, transferList: [] }
  const packer = new Packer(marshaller)
  const copy = packer.copier.copy(value)
  const { surrogates, transferList } = packer
  return { packed: surrogates.length > 0 ? { value: copy, surrogates } : { value: copy }, transferList }
}

export function unpack({ value, surrogates }: Packed, marshaller: Marshaller): unknown {
  if (surrogates === undefined) return value
  const whole = new Map<object, unknown>()
  for (const [mark, surrogate] of surrogates) whole.set(mark, restore(surrogate, marshaller))
  return revive(value, whole, { inPlace: true })
}

function restore(surrogate: Surrogate, marshaller: Marshaller): unknown {
  if (surrogate.type === 'buffer') {
    const { buffer, byteOffset, byteLength } = surrogate.bytes
    return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
  }
  return surrogate.type === 'error' ? decodeError(surrogate.error) : marshaller.import(surrogate)
}

// Most values need no surrogate and are sent as they are.
function needsPacking(value: object | symbol, isContainer: boolean): boolean {
  if (typeof value !== 'object') return typeof value === 'function'
  if (!isContainer) return needsSurrogate(value)
  return (
    !Array.isArray(value) &&
    typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
  )
}

// What every service has, and a handle too; a service itself is then left to structured clone.
const HANDLE = Symbol.for('bulkhead.node')

function needsSurrogate(value: object): boolean {
  return (
    value instanceof Transfer ||
    Buffer.isBuffer(value) ||
    value instanceof Error ||
    value instanceof AbortSignal ||
    HANDLE in value ||
    Symbol.asyncIterator in value
  )
}

class Packer implements CopyRules {
  readonly copier = new Copier(this)
  readonly surrogates: [object, Surrogate][] = []
  readonly transferList: Transferable[] = []
  readonly #marshaller: Marshaller

  constructor(marshaller: Marshaller) {
    this.#marshaller = marshaller
  }

  standIn(value: unknown, depth: number): unknown {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value
    if (value instanceof Transfer) {
      for (const item of value.list) if (!this.transferList.includes(item)) this.transferList.push(item)
      return this.copier.within(value.value, depth)
    }
    const surrogate = this.#surrogate(value)
    if (surrogate) {
      const mark = {}
      this.copier.seen.set(value, mark)
      this.surrogates.push([mark, surrogate])
      return mark
    }
    return isContainer(value) ? CONTENTS : value
  }

  #surrogate(value: object): Surrogate | undefined {
    if (value instanceof Error) return { type: 'error', error: encodeError(value) }
    if (Buffer.isBuffer(value)) return { type: 'buffer', bytes: this.#ownBytes(value) }
    return this.#marshaller.export(value, (items) => this.transferList.push(...items))
  }

  // A Buffer is often a view into a pool: structured clone would send the pool, neighbours' bytes included.
  #ownBytes(buffer: Buffer): Uint8Array {
    const whole = buffer.byteLength === buffer.buffer.byteLength
    if (whole) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    return Uint8Array.prototype.slice.call(buffer)
  }
}
