import { notOneOf } from '../errors/arguments.ts'
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

/** What a log can be set to. */
export const LEVELS: readonly string[] = Object.keys(values)

/** The number of a level, `silent` included. Throws `ERR_INVALID_ARGUMENT` for anything else. */
export function levelValue(level: string): number {
  return (typeof level === 'string' ? values[level] : undefined) ?? notOneOf('level', level, LEVELS)
}
