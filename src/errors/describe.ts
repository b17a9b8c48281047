import { inspect, types } from 'node:util'

const LONGEST_LINE = 1000

/** One line on any value. Never throws, whatever its getters, traps and custom inspectors do. */
export function oneLine(value: unknown): string {
  let text: string
  try {
    text = inspect(value, { depth: 1, compact: true, breakLength: Infinity, maxStringLength: 200 })
    // A custom inspector may return anything at all.
    if (typeof text !== 'string') text = String(text)
  } catch {
    text = `[${typeof value} that cannot be shown]`
  }
  text = text.replaceAll(/\s*\n\s*/g, ' ')
  return text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text
}

/** Whether `value` is an error: also of another realm, or one like DOMException that the engine does not count. */
export function isErrorLike(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false
  if (types.isNativeError(value)) return true
  try {
    return value instanceof Error
  } catch {
    return false
  }
}

/** One line on a thrown value, for messages. Never throws. */
export function describe(reason: unknown): string {
  if (typeof reason === 'string') return reason
  if (!isErrorLike(reason)) return oneLine(reason)
  try {
    const { name, message } = reason
    // A template, because a class may have set something else than a string.
    return `${name}${message === '' ? '' : `: ${message}`}`
  } catch {
    return oneLine(reason)
  }
}

/** Nothing for no error, one error as itself, several as one `AggregateError`. */
export function combineErrors(errors: readonly unknown[], message: string): unknown {
  return errors.length > 1 ? new AggregateError(errors, message) : errors[0]
}
