import { EventEmitter } from 'node:events'
import { types } from 'node:util'
import type { ChildLoggerOptions, Logger } from 'pino'
import { describe, isErrorLike } from '../errors/describe.ts'
import { LEVEL_VALUES, levelValue } from './levels.ts'
import { loggerName } from './names.ts'
import { isLogger, nameOf } from './pino-sink.ts'
import { currentSink, SERVICE_LOG, sinkFor } from './sink.ts'
import type { LineOptions, LogBindings, LogLevel, LogRecord, LogSink, ServiceLog } from './types.ts'

type Serializers = NonNullable<ChildLoggerOptions['serializers']>

interface Settings {
  readonly name: string
  /** A sink of its own; without one, lines go where the process logs when they are written. */
  readonly sink?: LogSink
  readonly path?: () => string
  readonly prefix?: () => string
  /** pino's `msgPrefix`. */
  readonly msgPrefix?: string
  readonly serializers?: Serializers
  readonly options?: LineOptions
  /** The level set on the log. */
  readonly level?: string
  readonly bindings?: LogBindings
}

/** Whom a service's log speaks for. */
export interface LogSource {
  /** Name of the logger, or what it is taken from: the URL or path of the module. */
  name: string | URL
  /** Read for each line, as `path` is: both change when a service gets a parent. */
  prefix: () => string
  path: () => string
  /** The author's own logger: its name, level and fields apply; a pino instance is also where the lines go. */
  parent?: ServiceLog | Logger
}

/** The log of a logger name, or of a module (`import.meta.url`), which is named after its file. */
export function getLogger(name: string | URL): ServiceLog {
  return asServiceLog(new Log({ name: loggerName(name) }))
}

/** The log of one service. */
export function serviceLog({ name, prefix, path, parent }: LogSource): ServiceLog {
  if (parent instanceof Log) return asServiceLog(new Log({ ...parent.settings, prefix, path }))
  const own = parent && isLogger(parent) ? { sink: sinkFor(parent), name: nameOf(parent) } : undefined
  return asServiceLog(new Log({ sink: own?.sink, name: own?.name ?? loggerName(name), prefix, path }))
}

// The class has all that a pino instance has at run time; pino's types name a few things more, for custom levels.
function asServiceLog(log: Log): ServiceLog {
  return log as unknown as ServiceLog
}

const labels: Record<number, string> = Object.fromEntries(
  Object.entries(LEVEL_VALUES).map(([label, value]) => [value, label]),
)

/** Level checks, prefix and fields; what becomes of a line is the sink's business. */
class Log extends EventEmitter {
  settings: Settings
  readonly [SERVICE_LOG] = true
  declare readonly levels: { values: Record<string, number>; labels: Record<number, string> }

  constructor(settings: Settings) {
    super()
    this.settings = settings
  }

  trace(...args: unknown[]): void {
    if (this.isLevelEnabled('trace')) this.write('trace', args)
  }

  debug(...args: unknown[]): void {
    if (this.isLevelEnabled('debug')) this.write('debug', args)
  }

  info(...args: unknown[]): void {
    if (this.isLevelEnabled('info')) this.write('info', args)
  }

  warn(...args: unknown[]): void {
    if (this.isLevelEnabled('warn')) this.write('warn', args)
  }

  error(...args: unknown[]): void {
    if (this.isLevelEnabled('error')) this.write('error', args)
  }

  fatal(...args: unknown[]): void {
    if (this.isLevelEnabled('fatal')) this.write('fatal', args)
  }

  critical(...args: unknown[]): void {
    if (this.isLevelEnabled('fatal')) this.write('fatal', args)
  }

  silent(): void {}

  exception(error: unknown, ...args: unknown[]): void {
    if (!this.isLevelEnabled('error')) return
    if (isErrorLike(error)) this.write('error', [error, ...args])
    else this.write('error', [{ err: error }, ...(args[0] === undefined ? [describe(error)] : args)])
  }

  isLevelEnabled(level: LogLevel): boolean {
    const own = this.settings.level
    if (own === undefined) return this.sink.isLevelEnabled(level)
    return LEVEL_VALUES[level] >= levelValue(own)
  }

  get level(): string {
    return this.settings.level ?? this.sink.level
  }

  set level(level: string) {
    const value = levelValue(level)
    const before = this.level
    this.settings = { ...this.settings, level }
    this.emit('level-change', level, value, before, levelValue(before), this)
  }

  get levelVal(): number {
    return levelValue(this.level)
  }

  get msgPrefix(): string | undefined {
    return this.prefix() || undefined
  }

  bindings(): LogBindings {
    const { name, path, bindings } = this.settings
    return { name, ...(path && { service: path() }), ...bindings }
  }

  setBindings(bindings: LogBindings): void {
    this.settings = withBindings(this.settings, bindings)
  }

  child(bindings: LogBindings, options?: ChildLoggerOptions): Log {
    if (!bindings) throw new TypeError('child() needs an object with the fields of the child log')
    return new Log(withBindings(options ? withOptions(this.settings, options) : this.settings, bindings))
  }

  flush(callback?: (error?: Error) => void): void {
    if (this.sink.flush) this.sink.flush(callback)
    else callback?.()
  }

  private get sink(): LogSink {
    return this.settings.sink ?? currentSink()
  }

  private prefix(): string {
    const { prefix, msgPrefix } = this.settings
    return (prefix ? `[${prefix()}] ` : '') + (msgPrefix ?? '')
  }

  private write(level: LogLevel, given: unknown[]): void {
    const { settings } = this
    const record: LogRecord = { level, name: settings.name, time: Date.now() }
    if (settings.path) record.service = settings.path()
    if (settings.bindings) record.bindings = settings.bindings
    if (settings.options) record.options = settings.options
    if (settings.level !== undefined) record.ownLevel = true
    readArguments(record, given)
    if (settings.serializers) serialize(record, settings.serializers)
    const prefix = this.prefix()
    if (prefix !== '') addPrefix(record, prefix)
    this.sink.write(record)
  }
}

Object.assign(Log.prototype, { levels: { values: { ...LEVEL_VALUES, silent: Infinity }, labels } })

/** What pino makes of its arguments: fields first if it is an object, else the message. */
function readArguments(record: LogRecord, given: unknown[]): void {
  const [first] = given
  const fields = typeof first === 'object' && first !== null
  // An error of another realm is none to pino.
  if (fields) record.obj = types.isNativeError(first) && !(first instanceof Error) ? { err: first } : first
  const at = fields || first === undefined || (first === null && given.length > 1) ? 1 : 0
  const msg = given[at]
  if (msg === undefined) return
  record.msg = msg
  if (given.length > at + 1) record.args = given.slice(at + 1)
}

function addPrefix(record: LogRecord, prefix: string): void {
  if (record.msg === undefined) record.msg = errorText(record.obj)
  const { msg } = record
  // pino does not read templates without arguments: %% would stay as it is.
  const before = record.args ? prefix.replaceAll('%', '%%') : prefix
  const isText = typeof msg === 'string' || typeof msg === 'number' || typeof msg === 'bigint'
  if (isText || typeof msg === 'boolean') record.msg = `${before}${msg}`
}

/** The text that pino gives to a line without one. */
function errorText(obj: object | undefined): string | undefined {
  if (!obj) return undefined
  try {
    const { msg, err } = obj as { msg?: unknown; err?: unknown }
    const error = obj instanceof Error ? obj : msg === undefined ? err : undefined
    const text = (error as Partial<Error> | undefined | null)?.message
    return typeof text === 'string' ? text : undefined
  } catch {
    // A getter that throws: the line matters more.
    return undefined
  }
}

function serialize(record: LogRecord, serializers: Serializers): void {
  const { obj } = record
  if (isErrorLike(obj)) {
    if (!serializers.err) return
    if (record.msg === undefined) record.msg = obj.message
    record.obj = { err: serializers.err(obj) }
  } else if (obj) record.obj = serialized(obj as LogBindings, serializers)
}

function serialized(values: LogBindings, serializers: Serializers): LogBindings {
  const keys = Object.keys(serializers).filter((key) => Object.hasOwn(values, key))
  if (keys.length === 0) return values
  return { ...values, ...Object.fromEntries(keys.map((key) => [key, serializers[key]!(values[key])])) }
}

function withBindings(settings: Settings, bindings: LogBindings): Settings {
  if (Object.keys(bindings).length === 0) return settings
  const { serializers } = settings
  const added = serializers ? serialized(bindings, serializers) : bindings
  return { ...settings, bindings: { ...settings.bindings, ...added } }
}

function withOptions(
  settings: Settings,
  { level, serializers, msgPrefix, redact }: ChildLoggerOptions,
): Settings {
  if (level !== undefined) levelValue(level)
  return {
    ...settings,
    ...(level !== undefined && { level }),
    ...(msgPrefix !== undefined && { msgPrefix: (settings.msgPrefix ?? '') + msgPrefix }),
    ...(redact !== undefined && { options: { ...settings.options, redact } }),
    ...(serializers && Object.keys(serializers).length > 0 && withSerializers(settings, serializers, redact)),
  }
}

// pino writes the keys of `serialized` as they are, or it would apply its own serializer to what ours returned. So ours
// must have been applied to each of them: to the fields already there, now.
function withSerializers(
  settings: Settings,
  added: Serializers,
  redact: LineOptions['redact'] = settings.options?.redact,
): Partial<Settings> {
  const done = settings.options?.serialized ?? []
  const fresh = Object.fromEntries(Object.entries(added).filter(([key]) => !done.includes(key)))
  return {
    serializers: { ...settings.serializers, ...added },
    options: { redact, serialized: [...done, ...Object.keys(fresh)] },
    ...(settings.bindings && { bindings: serialized(settings.bindings, fresh) }),
  }
}
