import { types } from 'node:util'
import { describe, isErrorLike, oneLine } from './describe.ts'
import { classNamesOf } from './registry.ts'

/**
 * Where a property comes from: `own` is enumerable, `hidden` is own and not enumerable, `inherited` comes from a
 * prototype that the other side may lack.
 */
export type PropertyKind = 'own' | 'hidden' | 'inherited'

/** An error taken apart. */
export interface EncodedError {
  /** Names of its classes, nearest first. */
  readonly classes: readonly string[]
  readonly properties: (readonly [key: string, value: unknown, kind: PropertyKind])[]
}

/**
 * A thrown value as plain data that structured clone accepts and `decodeError` makes whole again. It must cross in one
 * piece: where `value` and the properties of `errors` hold an error there stands its mark, an empty object that is
 * known by identity alone, which structured clone keeps within one message.
 */
export interface EncodedThrow {
  readonly value: unknown
  /** Flat, so that a chain of causes nests no deeper than one error, however long it is. */
  readonly errors?: readonly (readonly [mark: object, error: EncodedError])[]
  /** The byte arrays in it that are to arrive as Buffers. */
  readonly buffers?: readonly Uint8Array[]
}

// Structured clone itself overflows the stack at some 3000 levels on the main thread.
const MAX_DEPTH = 1000

// Own properties that cross although they are not enumerable.
const HIDDEN: ReadonlySet<string> = new Set([
  'name',
  'message',
  'stack',
  'code',
  'cause',
  'errors',
  'error',
  'suppressed',
])
// Properties that cross although a prototype has them: a class may set its name there, or compute its code.
const INHERITED = ['name', 'message', 'stack', 'code', 'cause'] as const

/** Turns any thrown value into plain data that structured clone accepts. Never throws. */
export function encodeError(reason: unknown): EncodedThrow {
  if (isPrimitive(reason)) return { value: reason }
  try {
    return new Encoder().encode(reason)
  } catch {
    // Not cloneable, or out of stack: then its description, in the same way as a property's.
    return { value: describe(reason) }
  }
}

class Encoder {
  readonly #errors: [mark: object, error: EncodedError][] = []
  readonly #buffers: Uint8Array[] = []
  readonly #sources: object[] = []
  readonly #seen = new Map<object, unknown>()

  encode(reason: unknown): EncodedThrow {
    // A thrown value that is no error crosses as a whole or not at all; errors within it are taken apart all the same.
    const value = this.#copy(reason, 0, refuse)
    // The list grows while it is worked off: recursion would end at some hundred causes.
    for (let next = 0; next < this.#sources.length; next++) this.#takeApart(next)
    return {
      value,
      ...(this.#errors.length > 0 && { errors: this.#errors }),
      ...(this.#buffers.length > 0 && { buffers: this.#buffers }),
    }
  }

  #takeApart(index: number): void {
    const source = this.#sources[index] as object
    const { properties } = (this.#errors[index] as [object, EncodedError])[1]
    const taken = new Set<string>()
    for (const key of ownKeys(source)) {
      if (typeof key !== 'string') continue
      const enumerable = isEnumerable(source, key)
      if (!enumerable && !HIDDEN.has(key)) continue
      taken.add(key)
      properties.push([key, this.#property(source, key, 0), enumerable ? 'own' : 'hidden'])
    }
    for (const key of INHERITED) {
      if (taken.has(key)) continue
      const value = this.#property(source, key, 0, true)
      if (value !== undefined) properties.push([key, value, 'inherited'])
    }
  }

  #property(source: object, key: string, depth: number, inherited = false): unknown {
    let value: unknown
    try {
      value = (source as Record<string, unknown>)[key]
    } catch (error) {
      return `[${key} threw ${describe(error)}]`
    }
    // A method that happens to be named like a property, as in VError's cause(), is none.
    if (inherited && typeof value === 'function') return undefined
    return this.#copy(value, depth, oneLine)
  }

  #copy(value: unknown, depth: number, otherwise: (value: unknown) => unknown): unknown {
    if (isPrimitive(value)) return value
    if (typeof value !== 'object') return otherwise(value)
    if (this.#seen.has(value)) return this.#seen.get(value)
    if (isErrorLike(value)) return this.#mark(value)
    if (depth >= MAX_DEPTH || types.isProxy(value)) return otherwise(value)
    if (Array.isArray(value)) return this.#copyContainer(value, [], depth, otherwise)
    if (isPlain(value)) return this.#copyContainer(value, {}, depth, otherwise)
    if (Buffer.isBuffer(value)) return this.#copyBuffer(value)
    let clone: unknown
    try {
      clone = structuredClone(value)
    } catch {
      return otherwise(value)
    }
    this.#seen.set(value, clone)
    return clone
  }

  #mark(error: object): object {
    const mark = {}
    this.#seen.set(error, mark)
    this.#sources.push(error)
    this.#errors.push([mark, { classes: classNamesOf(error), properties: [] }])
    return mark
  }

  #copyContainer(
    source: object,
    copy: object,
    depth: number,
    otherwise: (value: unknown) => unknown,
  ): object {
    this.#seen.set(source, copy)
    if (Array.isArray(source)) (copy as unknown[]).length = source.length
    for (const key of Object.keys(source)) {
      const value =
        otherwise === refuse
          ? this.#copy((source as Record<string, unknown>)[key], depth + 1, otherwise)
          : this.#property(source, key, depth + 1)
      setOwn(copy, key, value)
    }
    return copy
  }

  // A Buffer is often a view into a pool of which structured clone would send all, other people's bytes included.
  #copyBuffer(buffer: Buffer): Uint8Array {
    const bytes = new Uint8Array(buffer)
    this.#seen.set(buffer, bytes)
    this.#buffers.push(bytes)
    return bytes
  }
}

function refuse(): never {
  throw new TypeError('not cloneable')
}

function isPrimitive(value: unknown): value is null | undefined | boolean | number | bigint | string {
  const type = typeof value
  return value === null || (type !== 'object' && type !== 'function' && type !== 'symbol')
}

/** Whether structured clone takes `value` apart into its properties and nothing is lost: also with another realm's prototype. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

/** Sets an own property, `__proto__` too. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
  } else {
    ;(target as Record<string, unknown>)[key] = value
  }
}

// Only a Proxy throws in these two.
function ownKeys(source: object): readonly (string | symbol)[] {
  try {
    return Reflect.ownKeys(source)
  } catch {
    return []
  }
}

function isEnumerable(source: object, key: string): boolean {
  try {
    return Object.prototype.propertyIsEnumerable.call(source, key)
  } catch {
    return false
  }
}
