import { type Duration, parseDuration } from '../base/duration.ts'
import { bulkheadError } from './bulkhead-error.ts'
import { oneLine } from './describe.ts'

// What users give us is checked here, where it is given, so that the same mistake is always told in the same words.

/** @throws `ERR_INVALID_ARGUMENT`, always */
export function fail(problem: string, details?: { cause: unknown }): never {
  throw bulkheadError('ERR_INVALID_ARGUMENT', { problem }, details)
}

/** The duration in milliseconds. Throws `ERR_INVALID_DURATION`, naming the value. */
export function toMilliseconds(duration: Duration): number {
  const parsed = parseDuration(duration)
  if (parsed === undefined) throw bulkheadError('ERR_INVALID_DURATION', { value: oneLine(duration) })
  return parsed
}

/** @throws `ERR_INVALID_ARGUMENT` */
export function wholeNumber(
  name: string,
  value: number,
  { least, orInfinity = false }: { least: number; orInfinity?: boolean },
): number {
  if (Number.isInteger(value) && value >= least) return value
  if (orInfinity && value === Infinity) return value
  return wrong(name, value, `a whole number from ${least} up${orInfinity ? ', or Infinity' : ''}`)
}

/** @throws `ERR_INVALID_ARGUMENT` */
export function numberFrom(
  name: string,
  value: number,
  { least, most = Infinity }: { least: number; most?: number },
): number {
  // NaN is neither.
  if (value >= least && value <= most) return value
  return wrong(name, value, `a number from ${least} ${most === Infinity ? 'up' : `to ${most}`}`)
}

/** @throws `ERR_INVALID_ARGUMENT` */
export function oneOf<T extends string>(name: string, value: T, choices: readonly T[]): T {
  return choices.includes(value) ? value : notOneOf(name, value, choices)
}

/** Tells that `name` is none of its choices. */
export function notOneOf(name: string, value: unknown, choices: readonly string[]): never {
  const quoted = choices.map((choice) => `'${choice}'`)
  const last = quoted.pop()
  return wrong(name, value, quoted.length === 0 ? `${last}` : `${quoted.join(', ')} or ${last}`)
}

/** Tells what `name` is, and what to give instead. */
export function wrong(name: string, value: unknown, wanted: string): never {
  return fail(`${name} is ${oneLine(value)}: give ${wanted}`)
}
