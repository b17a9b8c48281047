import { createRequire } from 'node:module'
import type pino from 'pino'
import type { Logger, LoggerOptions } from 'pino'
import { LEVEL_VALUES, levelValue } from './levels.ts'
import type { LineOptions, LogBindings, LogLevel, LogRecord, LogSink } from './types.ts'

// Names are few, but paths and thread ids go on for as long as services come and go.
const MAX_CHILDREN = 500

const NONE: readonly unknown[] = []

// pino's own signatures check templates against their arguments, which only the author's call can.
type Writer = Record<LogLevel, (...args: unknown[]) => void>

/** Writes through a pino instance, so that its level, redaction, serializers, mixins and destination apply. */
export class PinoSink implements LogSink {
  private readonly options: LoggerOptions
  private logger: Logger | undefined
  private readonly children = new Map<string, Logger>()
  /** Lines come in runs, and a key is a text to be made. */
  private last: { name: string; service?: string; threadId?: number; child: Logger } | undefined
  private readonly listeners = new Set<() => void>()
  // pino would write a name of the instance's own a second time.
  private readonly ownName: unknown
  private readonly bound = new WeakMap<LogBindings, { of: Logger; logger: Logger }>()

  /** Without a pino instance one on stdout is made, with these options, when the first line is written. */
  constructor(target: Logger | LoggerOptions = {}) {
    if (isLogger(target)) {
      this.logger = target
      this.options = {}
      this.ownName = nameOf(target)
    } else {
      this.options = { level: 'info', ...target }
      levelValue(this.options.level!)
      this.ownName = target.name
    }
  }

  get level(): string {
    return this.logger?.level ?? this.options.level!
  }

  set level(level: string) {
    if (this.logger) this.logger.level = level
    else {
      levelValue(level)
      this.options.level = level
    }
    for (const listener of this.listeners) listener()
  }

  isLevelEnabled(level: LogLevel): boolean {
    return LEVEL_VALUES[level] >= (this.logger ? this.logger.levelVal : levelValue(this.options.level!))
  }

  write(record: LogRecord): void {
    const { level, obj, msg, args = NONE } = record
    const logger = this.loggerFor(record) as unknown as Writer
    if (obj !== undefined && msg === undefined) logger[level](obj)
    else if (obj !== undefined) logger[level](obj, msg, ...args)
    // pino takes an object in the first place for fields; here it is the message.
    else if (typeof msg === 'object') logger[level](undefined, msg, ...args)
    else logger[level](msg, ...args)
  }

  flush(callback?: (error?: Error) => void): void {
    if (this.logger) this.logger.flush(callback)
    else callback?.()
  }

  onLevelChange(listener: () => void): () => void {
    this.listeners.add(listener)
    // One that is yet to be made is known to nobody else who could change its level.
    const { logger } = this
    logger?.on('level-change', listener)
    return () => {
      this.listeners.delete(listener)
      logger?.off('level-change', listener)
    }
  }

  private target(): Logger {
    this.logger ??= loadPino()(this.options)
    return this.logger
  }

  private loggerFor(record: LogRecord): Logger {
    const child = this.childFor(record)
    const { bindings } = record
    if (!bindings) return child
    const known = this.bound.get(bindings)
    if (known?.of === child) return known.logger
    const logger = child.child(bindings)
    this.bound.set(bindings, { of: child, logger })
    return logger
  }

  private childFor(record: LogRecord): Logger {
    const { last } = this
    const isLast =
      last?.threadId === record.threadId && last?.service === record.service && last?.name === record.name
    if (last && isLast && !record.options) return last.child
    const child = this.knownChildFor(record)
    const { name, service, threadId } = record
    if (!record.options) this.last = { name, service, threadId, child }
    return child
  }

  private knownChildFor({ name, service, threadId, options }: LogRecord): Logger {
    const key = `${name}\0${service ?? ''}\0${threadId ?? ''}${options ? `\0${JSON.stringify(options, withFunctions)}` : ''}`
    let child = this.children.get(key)
    if (!child) {
      if (this.children.size >= MAX_CHILDREN) this.children.clear()
      // Level trace: whether the line is wanted has been decided, and the log may have a level of its own.
      const bindings = { name: name === this.ownName ? undefined : name, service, threadId }
      child = this.target().child(bindings, { level: 'trace', ...childOptions(options) })
      this.children.set(key, child)
    }
    return child
  }
}

function childOptions({ serialized, redact }: LineOptions = {}): object {
  return {
    ...(serialized && { serializers: Object.fromEntries(serialized.map((key) => [key, asItIs])) }),
    ...(redact && { redact }),
  }
}

function withFunctions(_key: string, value: unknown): unknown {
  return typeof value === 'function' ? String(value) : value
}

function asItIs(value: unknown): unknown {
  return value
}

export function isLogger(value: unknown): value is Logger {
  if (typeof value !== 'object' || value === null) return false
  const { child, info } = value as Partial<Logger>
  return typeof child === 'function' && typeof info === 'function'
}

/** The name a pino instance was given. */
export function nameOf(logger: Logger): string | undefined {
  const { name } = typeof logger.bindings === 'function' ? logger.bindings() : {}
  return typeof name === 'string' ? name : undefined
}

function loadPino(): typeof pino {
  return createRequire(import.meta.url)('pino') as typeof pino
}
