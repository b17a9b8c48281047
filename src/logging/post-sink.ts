import { threadId } from 'node:worker_threads'
import { encodeRecord, isSimple } from './cloneable.ts'
import { LEVEL_VALUES, levelValue } from './levels.ts'
import type { LogLevel, LogRecord, LogSink } from './types.ts'

export interface PostSinkOptions {
  /** Sends a record to the thread that writes it, at once; may throw for what cannot be cloned. */
  post: (record: LogRecord) => void
  /** The level of the logger over there. */
  level?: string
  /** Of the lines written here; this thread's unless given. */
  threadId?: number
}

/** The sink of a thread: each line is sent as data, in the same turn, because one held back is lost with the thread. */
export class PostSink implements LogSink {
  private readonly post: (record: LogRecord) => void
  private readonly threadId: number
  private readonly listeners = new Set<() => void>()
  private label = 'info'
  private value: number = LEVEL_VALUES.info

  constructor({ post, level = 'info', threadId: ownThreadId = threadId }: PostSinkOptions) {
    this.post = post
    this.level = level
    this.threadId = ownThreadId
  }

  get level(): string {
    return this.label
  }

  set level(level: string) {
    this.value = levelValue(level)
    this.label = level
    for (const listener of this.listeners) listener()
  }

  isLevelEnabled(level: LogLevel): boolean {
    return LEVEL_VALUES[level] >= this.value
  }

  /** Never throws: a line that cannot be sent whole is sent with descriptions in place of what is in the way. */
  write(record: LogRecord): void {
    // A line that came from a thread below this one keeps that thread's id.
    record.threadId ??= this.threadId
    try {
      this.post(isSimple(record) ? record : encodeRecord(record))
    } catch {
      try {
        this.post(encodeRecord(record, true))
      } catch {
        // The port itself is of no use any more: nobody is left to tell.
      }
    }
  }

  onLevelChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
}
