import { pino } from 'pino'
import { setLogger } from '../../src/logging/sink.ts'

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly name?: string
  readonly service?: string
  readonly err?: { readonly message: string; readonly stack: string }
}

/** What happened, in order: what a test adds, and the text of the life-cycle lines. */
export interface Recorder {
  readonly events: string[]
  /** All lines of the log. */
  readonly lines: LogLine[]
  /** The lines at `error` and above. */
  readonly problems: LogLine[]
  add(event: string): void
  /** The events so far; they are taken away. */
  take(): string[]
}

const LIFE_CYCLE = / (?:Starting\.\.\.|Started|Stopping\.\.\.|Stopped|Shutdown complete!)$/
const ERROR = 50

/** Records until the test is over; `life: false` leaves the life-cycle lines out of the events. */
export function record(
  t: { teardown(done: () => void): void },
  { life = true, level = 'info' }: { life?: boolean; level?: string } = {},
): Recorder {
  const events: string[] = []
  const lines: LogLine[] = []
  const write = (text: string): void => {
    const line = JSON.parse(text) as LogLine
    lines.push(line)
    if (life && LIFE_CYCLE.test(line.msg)) events.push(line.msg)
  }
  setLogger(pino({ base: null, timestamp: false, level }, { write }))
  t.teardown(() => setLogger(undefined))
  return {
    events,
    lines,
    get problems() {
      return lines.filter((line) => line.level >= ERROR)
    },
    add: (event) => void events.push(event),
    take: () => events.splice(0),
  }
}
