import { types } from 'node:util'
import { CONTENTS, Copier, type CopyRules, isContainer, isImmutable } from '../base/walk.ts'
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

/** Deeper values are described: structured clone itself overflows the stack at some 3000 levels on the main thread. */
export const MAX_DEPTH = 1000

/** Turns any thrown value into plain data that structured clone accepts. Never throws. */
export function encodeError(reason: unknown): EncodedThrow {
  if (isImmutable(reason)) return { value: reason }
  try {
    return new Encoder().encode(reason)
  } catch {
    // Not cloneable, or out of stack: then its description, in the same way as a property's.
    return { value: describe(reason) }
  }
}

class Encoder implements CopyRules {
  readonly #copier = new Copier(this)
  readonly #errors: [mark: object, error: EncodedError][] = []
  readonly #buffers: Uint8Array[] = []
  readonly #sources: object[] = []
  // A thrown value that is no error crosses as a whole or not at all; errors within it are taken apart all the same.
  #whole = true

  encode(reason: unknown): EncodedThrow {
    const value = this.#copier.copy(reason)
    this.#whole = false
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
      properties.push([key, this.#property(source, key), enumerable ? 'own' : 'hidden'])
    }
    for (const key of INHERITED) {
      if (taken.has(key)) continue
      const value = this.#property(source, key, true)
      if (value !== undefined) properties.push([key, value, 'inherited'])
    }
  }

  #property(source: object, key: string, inherited = false): unknown {
    let value: unknown
    try {
      value = (source as Record<string, unknown>)[key]
    } catch (error) {
      return this.threw(key, error)
    }
    // A method that happens to be named like a property, as in VError's cause(), is none.
    if (inherited && typeof value === 'function') return undefined
    return this.#copier.copy(value)
  }

  standIn(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return this.#otherwise(value)
    if (isErrorLike(value)) return this.#mark(value)
    if (depth >= MAX_DEPTH || types.isProxy(value)) return this.#otherwise(value)
    if (isContainer(value)) return CONTENTS
    if (Buffer.isBuffer(value)) return this.#copyBuffer(value)
    let clone: unknown
    try {
      clone = structuredClone(value)
    } catch {
      return this.#otherwise(value)
    }
    this.#copier.seen.set(value, clone)
    return clone
  }

  threw(key: string | number, error: unknown): unknown {
    if (this.#whole) throw error
    return `[${key} threw ${describe(error)}]`
  }

  #otherwise(value: unknown): string {
    if (this.#whole) throw new TypeError('not cloneable')
    return oneLine(value)
  }

  #mark(error: object): object {
    const mark = {}
    this.#copier.seen.set(error, mark)
    this.#sources.push(error)
    this.#errors.push([mark, { classes: classNamesOf(error), properties: [] }])
    return mark
  }

  // A Buffer is often a view into a pool of which structured clone would send all, other people's bytes included.
  #copyBuffer(buffer: Buffer): Uint8Array {
    const bytes = new Uint8Array(buffer)
    this.#copier.seen.set(buffer, bytes)
    this.#buffers.push(bytes)
    return bytes
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
