import { inspect } from 'node:util'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { LogLevel } from './types.ts'

/** pino's numbers: a line is written if its number is at least the log's. */
export const LEVEL_VALUES: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
}

const values: Readonly<Record<string, number>> = {
  __proto__: null,
  ...LEVEL_VALUES,
  silent: Infinity,
} as never

/** The number of a level, `silent` included. Throws `ERR_INVALID_ARGUMENT` for anything else. */
export function levelValue(level: string): number {
  const value = typeof level === 'string' ? values[level] : undefined
  if (value === undefined) {
    const known = Object.keys(values).join(', ')
    throw bulkheadError('ERR_INVALID_ARGUMENT', {
      problem: `${inspect(level)} is not a log level: use one of ${known}`,
    })
  }
  return value
}
