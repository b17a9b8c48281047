import { inspect } from 'node:util'
import type { Logger, LoggerOptions } from 'pino'
import { fail } from '../errors/arguments.ts'
import { decodeRecord } from './cloneable.ts'
import { describe } from '../errors/describe.ts'
import { isLogger, PinoSink } from './pino-sink.ts'
import type { LogRecord, LogSink } from './types.ts'

/** Marks a ServiceLog, also one of another copy of this library. */
export const SERVICE_LOG = Symbol.for('bulkhead.ServiceLog')

const standard: LogSink = new PinoSink()
let chosen: LogSink | undefined
let forced: LogSink | undefined

/** Where a line written now goes: what a Host or thread set, else what `setLogger` was given, else stdout. */
export function currentSink(): LogSink {
  return forced ?? chosen ?? standard
}

/**
 * Sends the lines of all logs, also of those already made, to `logger`; `undefined` goes back to pino on stdout at
 * `info`. A Host with a logger of its own, and the threads it starts, are not affected.
 */
export function setLogger(logger: Logger | undefined): void {
  if (logger !== undefined && !isLogger(logger)) {
    fail(`setLogger() takes a pino instance or undefined, not ${inspect(logger, { depth: 0 })}`)
  }
  chosen = logger && sinkFor(logger)
  sinkChanged()
}

/** Puts a sink before any that `setLogger` chose, or with `undefined` takes it away; returns the one before. */
export function setSink(sink: LogSink | undefined): LogSink | undefined {
  const before = forced
  forced = sink
  sinkChanged()
  return before
}

/** A sink that writes through a pino instance, or one made with these options at the first line. */
export function sinkFor(target: Logger | LoggerOptions): LogSink {
  if (SERVICE_LOG in target) {
    fail('The lines of a ServiceLog go to the logger: it cannot be the logger itself, give a pino instance')
  }
  return new PinoSink(target)
}

/** The level that lines need now to be written, `silent` for none. */
export function sinkLevel(): string {
  return currentSink().level
}

/** Writes a line that comes from a thread, unless the level has been raised since. Never throws. */
export function writeRecord(record: LogRecord): void {
  const sink = currentSink()
  if (!record.ownLevel && !sink.isLevelEnabled(record.level)) return
  try {
    sink.write(decodeRecord(record))
  } catch (error) {
    // A serializer, say. Its caller is in the other thread, and here nobody could handle it: the line says so.
    const { bindings: _bindings, args: _args, options: _options, ...rest } = record
    try {
      sink.write({ ...rest, obj: { logError: describe(error) } })
    } catch {
      // The logger takes no line at all: its owner's business.
    }
  }
}

const listeners = new Set<(level: string) => void>()
let stopListening: (() => void) | undefined
let lastLevel: string

/** Calls `listener` whenever `sinkLevel()` changes, until the returned function is called. */
export function onSinkLevelChange(listener: (level: string) => void): () => void {
  if (listeners.size === 0) {
    lastLevel = sinkLevel()
    listenToSink()
  }
  // Wrapped, so that the same function given twice is two listeners.
  const own = (level: string): void => listener(level)
  listeners.add(own)
  return () => {
    if (listeners.delete(own) && listeners.size === 0) stopListening?.()
  }
}

function listenToSink(): void {
  stopListening?.()
  stopListening = currentSink().onLevelChange?.(levelMayHaveChanged)
}

function sinkChanged(): void {
  if (listeners.size === 0) return
  listenToSink()
  levelMayHaveChanged()
}

function levelMayHaveChanged(): void {
  // pino also tells of its children's levels: only a difference counts.
  const level = sinkLevel()
  if (level === lastLevel) return
  lastLevel = level
  for (const listener of listeners) listener(level)
}
