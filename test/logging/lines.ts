import { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Logger, LoggerOptions } from 'pino'
import { setLogger, setSink, writeRecord } from '../../src/logging/sink.ts'
import { lineOf, recordOfLine } from '../../src/logging/line.ts'
import { PostSink } from '../../src/logging/post-sink.ts'

export type Line = Record<string, unknown> & { level: number; msg?: unknown }

export interface Target {
  logger: Logger
  /** The lines written so far, without what differs from run to run; they are taken away. */
  take: () => Line[]
  /** The same as text. */
  takeText: () => string[]
}

/** A pino instance that writes into memory. */
export function target(options: LoggerOptions = {}): Target {
  let texts: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      texts.push(String(chunk))
      done()
    },
  })
  const takeText = (): string[] => texts.splice(0)
  return {
    logger: pino({ base: {}, timestamp: false, ...options }, stream),
    takeText,
    take: () => takeText().map((text) => JSON.parse(text) as Line),
  }
}

/** All lines go to a new pino instance. */
export function logTo(options: LoggerOptions = {}): Target {
  const made = target(options)
  setLogger(made.logger)
  return made
}

/** Runs `work` as if in thread 7: its lines cross by structured clone to the logger that is set. */
export function asInThread<T>(work: () => T, level = 'info'): T {
  const sink = new PostSink({
    level,
    threadId: 7,
    post(record) {
      const crossed = recordOfLine(structuredClone(lineOf(record)))
      setSink(undefined)
      try {
        writeRecord(crossed)
      } finally {
        setSink(sink)
      }
    },
  })
  setSink(sink)
  try {
    return work()
  } finally {
    setSink(undefined)
  }
}
