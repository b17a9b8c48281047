import { types } from 'node:util'
import { CONTENTS, Copier, type CopyRules } from '../base/walk.ts'
import { decodeError } from '../errors/decode.ts'
import { isErrorLike, oneLine } from '../errors/describe.ts'
import { MAX_DEPTH, encodeError } from '../errors/encode.ts'
import { revive } from '../errors/revive.ts'
import type { LogRecord } from './types.ts'

const FIELDS = ['obj', 'bindings', 'msg', 'args', 'options'] as const

// Beyond it, or in a circle, a value is none of the simple ones.
const SIMPLE_DEPTH = 4

/** Whether `encodeRecord` would only copy it: so it is with nearly every line, and the copy costs as much as its clone. */
export function isSimple({ obj, msg, args, bindings, options }: LogRecord): boolean {
  try {
    return (
      isSimpleValue(msg, 0) &&
      isSimpleValue(obj, SIMPLE_DEPTH) &&
      isSimpleValue(bindings, SIMPLE_DEPTH) &&
      // Templates ask objects for their text.
      (args === undefined || args.every((arg) => isSimpleValue(arg, 0))) &&
      options === undefined
    )
  } catch {
    // A getter threw.
    return false
  }
}

function isSimpleValue(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null)
    return typeof value !== 'function' && typeof value !== 'symbol'
  if (depth === 0) return false
  // Own or inherited, pino would ask it.
  if ((value as { toJSON?: unknown }).toJSON !== undefined) return false
  if (Array.isArray(value)) {
    return (
      Object.getPrototypeOf(value) === Array.prototype &&
      value.every((item) => isSimpleValue(item, depth - 1))
    )
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const key of Object.keys(value)) {
    if (!isSimpleValue((value as Record<string, unknown>)[key], depth - 1)) return false
  }
  return true
}

/**
 * The record as structured clone accepts it, such that pino makes the same line of it on the other side. What cannot
 * cross is described in a line of text. Never throws. With `plainOnly` what is in a Map or Set is described too: it is
 * for records that structured clone has refused.
 */
export function encodeRecord(record: LogRecord, plainOnly = false): LogRecord {
  const encoder = new Encoder(plainOnly)
  const encoded: LogRecord = { ...record }
  if (typeof record.msg === 'string' && record.args?.some(canBeAsked)) {
    askArguments(encoded, record.msg, record.args)
  }
  for (const field of FIELDS) {
    // pino goes through the properties of `obj` and `bindings` without asking them for toJSON, but not so for a message.
    if (encoded[field] !== undefined)
      encoded[field] = encoder.copier.copy(encoded[field], field === 'msg' ? 1 : 0) as never
  }
  if (encoder.errors.length > 0) encoded.errors = encoder.errors
  return encoded
}

/** Makes whole again, in place, what `encodeRecord` took apart. */
export function decodeRecord(record: LogRecord): LogRecord {
  if (!record.errors) return record
  const { errors, ...decoded } = record
  const whole = new Map<object, unknown>()
  for (const { mark, error, type, json } of errors) {
    const value = decodeError(error)
    whole.set(mark, value)
    if (!isErrorLike(value)) continue
    // pino writes the name of the class, which may be unknown on this side.
    if (type !== undefined && value.constructor.name !== type)
      hide(value, 'constructor', { [type]() {} }[type])
    if (json !== undefined) hide(value, 'toJSON', () => json)
  }
  for (const field of FIELDS) {
    if (decoded[field] !== undefined)
      decoded[field] = revive(decoded[field], whole, { inPlace: true }) as never
  }
  return decoded
}

class Encoder implements CopyRules {
  readonly copier = new Copier(this)
  readonly errors: NonNullable<LogRecord['errors']> = []
  private readonly plainOnly: boolean

  constructor(plainOnly: boolean) {
    this.plainOnly = plainOnly
  }

  standIn(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return oneLine(value)
    try {
      if (isErrorLike(value)) return this.mark(value, depth)
      if (depth >= MAX_DEPTH) return oneLine(value)
      if (isNative(value)) return this.plainOnly ? oneLine(value) : value
      if (depth > 0 && hasToJSON(value)) return this.copier.within(value.toJSON(''), depth + 1)
      return CONTENTS
    } catch {
      // A Proxy or a toJSON() that throws.
      return oneLine(value)
    }
  }

  threw(key: string | number, error: unknown): string {
    return `[${key} threw ${oneLine(error)}]`
  }

  unreadable(value: object): string {
    return oneLine(value)
  }

  private mark(error: Error, depth: number): object {
    const mark = {}
    this.copier.seen.set(error, mark)
    const name: unknown = (error as { constructor?: { name?: unknown } }).constructor?.name
    this.errors.push({
      mark,
      error: encodeError(error),
      ...(typeof name === 'string' && { type: name }),
      ...(hasToJSON(error) && { json: this.copier.within(error.toJSON(''), depth + 1) }),
    })
    return mark
  }
}

/**
 * Templates ask an object for its text, number or JSON, which its clone could not tell: so they are asked here.
 * Placeholders are counted as pino counts them: whatever follows a `%`, but another `%`, takes an argument.
 */
function askArguments(record: LogRecord, template: string, args: readonly unknown[]): void {
  const answers = [...args]
  let index = -1
  record.msg = template.replaceAll(/%(.)/gs, (placeholder, kind: string) => {
    if (kind === '%') return placeholder
    const arg = answers[++index]
    if (!canBeAsked(arg) || !'sdfijoO'.includes(kind)) return placeholder
    const answer = ask(arg, kind)
    if (answer === undefined) return placeholder
    answers[index] = answer
    // The JSON of an object may be a string: %j would put that in quotes of its own.
    return 'joO'.includes(kind) ? '%s' : placeholder
  })
  record.args = answers
}

function canBeAsked(value: unknown): boolean {
  return (
    typeof value === 'function' || typeof value === 'symbol' || (typeof value === 'object' && value !== null)
  )
}

/** `undefined` where the clone gives the same answer, or where it must be asked after redaction. */
function ask(value: unknown, kind: string): unknown {
  try {
    if (kind === 's') return String(value)
    if (!'joO'.includes(kind)) return Number(value)
    if (typeof value === 'function') return value.name || '<anonymous>'
    if (typeof value !== 'object' || value === null || !hasToJSON(value)) return undefined
    const json = `${JSON.stringify(value) as string | undefined}`
    return /^[{[]/.test(json) ? undefined : json
  } catch {
    return kind === 's' ? oneLine(value) : undefined
  }
}

function isNative(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isBoxedPrimitive(value) ||
    types.isAnyArrayBuffer(value) ||
    // A Buffer says by itself how it is to be written, its clone could not.
    (ArrayBuffer.isView(value) && !Buffer.isBuffer(value))
  )
}

function hasToJSON(value: object): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: false, writable: true, configurable: true })
}
