import { format, inspect } from 'node:util'
import { LEVEL_VALUES, levelValue } from '../logging/levels.ts'
import type { LogBindings, LogLevel, LogRecord, LogSink } from '../logging/types.ts'

/** Log lines as text on stderr, where stdout is for the result of a command. */
export class StderrSink implements LogSink {
  level: string

  constructor(level: LogLevel) {
    this.level = level
  }

  isLevelEnabled(level: LogLevel): boolean {
    return LEVEL_VALUES[level] >= levelValue(this.level)
  }

  write({ level, name, obj, msg = '', args = [] }: LogRecord): void {
    const error = obj instanceof Error ? obj : (obj as LogBindings | undefined)?.err
    const text = typeof msg === 'string' ? format(msg, ...args) : format('%o', msg)
    const stack = error instanceof Error ? `\n${inspect(error)}` : ''
    process.stderr.write(`${level.toUpperCase()} ${name}: ${text}${stack}\n`)
  }
}
