import type { EncodedLogError, LineOptions, LogBindings, LogLevel, LogRecord } from './types.ts'

/** The tag of its message. */
const MARK = 'log'

/** A record on its way to another thread: most of what it costs to clone an object is the names of its properties. */
export type LogLine = readonly [
  mark: typeof MARK,
  time: number,
  level: LogLevel,
  name: string,
  service: string | undefined,
  threadId: number | undefined,
  msg: unknown,
  obj: object | undefined,
  /** Most lines have none of these. */
  ...rest:
    | []
    | [
        bindings: LogBindings | undefined,
        args: unknown[] | undefined,
        options: LineOptions | undefined,
        ownLevel: boolean | undefined,
        errors: EncodedLogError[] | undefined,
      ],
]

export function lineOf(record: LogRecord): LogLine {
  const { time, level, name, service, threadId, msg, obj, bindings, args, options, ownLevel, errors } = record
  if (!bindings && !args && !options && !ownLevel && !errors)
    return [MARK, time, level, name, service, threadId, msg, obj]
  const rest = [bindings, args, options, ownLevel, errors] as const
  return [MARK, time, level, name, service, threadId, msg, obj, ...rest]
}

export function recordOfLine(line: LogLine): LogRecord {
  const record: LogRecord = {
    time: line[1],
    level: line[2],
    name: line[3],
    service: line[4],
    threadId: line[5],
    msg: line[6],
    obj: line[7],
  }
  if (line.length === 8) return record
  const [, , , , , , , , bindings, args, options, ownLevel, errors] = line
  return { ...record, bindings, args, options, ownLevel, errors }
}
