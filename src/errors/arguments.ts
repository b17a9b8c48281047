import { type Duration, parseDuration } from '../base/duration.ts'
import { bulkheadError } from './bulkhead-error.ts'
import { oneLine } from './describe.ts'

/** The duration in milliseconds. Throws `ERR_INVALID_DURATION`, naming the value. */
export function toMilliseconds(duration: Duration): number {
  const parsed = parseDuration(duration)
  if (parsed === undefined) throw bulkheadError('ERR_INVALID_DURATION', { value: oneLine(duration) })
  return parsed
}
