import { inspect } from 'node:util'
import { type DecodeOptions, decodeError } from '../../src/errors/decode.ts'
import { encodeError } from '../../src/errors/encode.ts'
import { registerError } from '../../src/errors/registry.ts'

export type Any = Record<string, unknown> & Error

/** What arrives on the other side of a thread. */
export function cross(reason: unknown, options?: DecodeOptions): Any {
  return decodeError(structuredClone(encodeError(reason)), options) as Any
}

export function boom(): never {
  throw new Error('boom')
}

/** All that can be seen of a value, as plain data; what was seen before is shown by its number. */
export function snapshot(value: unknown, seen = new Map<object, number>()): unknown {
  if (typeof value !== 'object' || value === null) return value
  const number = seen.get(value)
  if (number !== undefined) return `#${number}`
  seen.set(value, seen.size)
  if (ArrayBuffer.isView(value) || value instanceof Date) return inspect(value)
  const properties: [string, unknown, boolean][] = []
  const keys =
    value instanceof Error ? [...Reflect.ownKeys(value), 'name', 'message'] : Reflect.ownKeys(value)
  for (const key of new Set(keys)) {
    if (typeof key === 'symbol') continue
    const enumerable = Object.prototype.propertyIsEnumerable.call(value, key)
    properties.push([key, snapshot((value as Record<string, unknown>)[key], seen), enumerable])
  }
  const kind = Object.prototype.toString.call(value)
  return [kind, value instanceof Error ? Object.getPrototypeOf(value).constructor.name : '', properties]
}

/** A class that both sides know. */
export class HttpError extends Error {
  readonly status: number
  #secret = 1
  static made = 0
  constructor(status: number, message: string) {
    super(message)
    this.status = status
    HttpError.made++
  }
  get retryable(): boolean {
    return this.status >= 500
  }
  get secret(): number {
    return this.#secret
  }
}
Object.defineProperty(HttpError.prototype, 'name', { value: 'HttpError' })
registerError(HttpError)
