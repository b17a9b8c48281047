import type { ChildLoggerOptions, Logger, LogFn } from 'pino'
import type { EncodedThrow } from '../errors/encode.ts'

/** The levels a line can have. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export type LogBindings = Record<string, unknown>

/**
 * A pino-compatible logger, usable where a pino instance is asked for. Lines go where the process logs at that moment:
 * to what `setLogger` or the Host was given, and from a thread to the main thread's logger.
 *
 * Of pino's `child` options, `level`, `serializers`, `msgPrefix` and `redact` work.
 */
export interface ServiceLog extends Logger {
  /** An error line with the error's stack; without `message` its text is the error's own. */
  exception(error: unknown, message?: string, ...args: unknown[]): void
  /** The same as `fatal`. */
  critical: LogFn
  /** A log with more fields on each line. A level set on this log applies to the child too. */
  child(bindings: LogBindings, options?: ChildLoggerOptions): ServiceLog
  child<CustomLevels extends string = never>(
    bindings: LogBindings,
    options?: ChildLoggerOptions<CustomLevels>,
  ): Logger<CustomLevels>
}

/** How a child log writes, where that differs from its logger: data, so that it can cross threads. */
export interface LineOptions {
  /** Keys whose values have been through the child's own serializers: no other may be applied to them. */
  readonly serialized?: readonly string[]
  readonly redact?: NonNullable<ChildLoggerOptions['redact']>
}

/** One log line as data. */
export interface LogRecord {
  level: LogLevel
  /** Name of the logger. */
  name: string
  /** Path of the service. */
  service?: string
  /** Thread the line comes from, unless it is the main one. */
  threadId?: number
  /** Milliseconds since the epoch. */
  time: number
  bindings?: LogBindings
  obj?: object
  /** A template, for `args`; pino takes other things than strings too. */
  msg?: unknown
  args?: unknown[]
  options?: LineOptions
  /** The log had a level of its own, which let the line pass: the sink's level does not count. */
  ownLevel?: boolean
  /** The errors in a record that crosses threads; in their place stand marks, known by identity. */
  errors?: EncodedLogError[]
}

export interface EncodedLogError {
  mark: object
  error: EncodedThrow
  /** Name of its class. */
  type?: string
  /** What its `toJSON()` returned. */
  json?: unknown
}

/** Where records go. */
export interface LogSink {
  /** `silent` for none. */
  level: string
  isLevelEnabled(level: LogLevel): boolean
  /** Writes the record whatever the level. */
  write(record: LogRecord): void
  flush?(callback?: (error?: Error) => void): void
  /** Calls `listener` when `level` may have changed, until the returned function is called. */
  onLevelChange?(listener: () => void): () => void
}
