import { createRequire } from 'node:module'
import type { Cron } from 'croner'
import { type Clock, nextTurn } from '../base/clock.ts'
import { delay } from '../base/wait.ts'
import { fail } from '../errors/arguments.ts'
import { oneLine } from '../errors/describe.ts'

/** Ticks, counted from 0. The last result comes after an abort of the signal, or at once on `return()`. */
export type Ticks = AsyncIterableIterator<number, undefined, void>

// How often a wait for wall-clock time looks at the clock again, and how late a tick may be found before it counts as
// missed: long enough for a blocked event loop, short enough that a machine that slept does not run the night's work
// in the morning.
const WALL_CLOCK_STEP_MS = 60_000

/** When ticks are due; made when the first tick is asked for. */
interface Timetable {
  /** Milliseconds until it is worth looking again; none left: the tick is due. */
  left(): number
  /** The tick has been taken: on to the first one that lies in the future. */
  next(): void
}

export interface IntervalTicksOptions {
  clock: Clock
  signal: AbortSignal
  /** Whether the first tick comes at once instead of after one interval. */
  immediate?: boolean
}

/**
 * Ticks every `every` milliseconds (`Infinity`: never) from when the first is asked for. Due times stay on that grid
 * however late the ones before were; those that pass while the consumer is busy are skipped. Ends without error on
 * abort, never sooner than the next event-loop turn, so that a loop around it cannot spin.
 * @throws `ERR_INVALID_ARGUMENT` for less than 1 ms
 */
export function intervalTicks(
  every: number,
  { clock, signal, immediate = false }: IntervalTicksOptions,
): Ticks {
  checkInterval(every)
  return ticks({ clock, signal }, () => {
    const start = clock.now()
    let slot = immediate ? 0 : 1
    // 0 * Infinity is NaN.
    const due = (): number => (slot === 0 ? start : start + slot * every)
    return {
      left: () => due() - clock.now(),
      next() {
        const now = clock.now()
        slot = Math.max(slot, Math.floor((now - start) / every)) + 1
        // Rounding can make the division one too small.
        if (due() <= now) slot++
      },
    }
  })
}

/** @throws `ERR_INVALID_ARGUMENT` for an interval that is shorter than timers can be, so that it would spin */
export function checkInterval(every: number): void {
  if (!(every >= 1)) fail(`An interval of ${every} ms is too short: give at least 1 ms`)
}

export interface CronTicksOptions {
  clock: Clock
  signal: AbortSignal
  /** IANA name. The process's own time zone by default. */
  timezone?: string | undefined
}

/**
 * Ticks when the wall clock comes to a time that `expression` names. Times that pass while the consumer is busy, or
 * more than a minute before they are noticed (the machine slept, the clock was set), are skipped. A clock that is set
 * back by less than a minute repeats no tick. Ends as {@link intervalTicks} does.
 * @throws `ERR_INVALID_ARGUMENT` as {@link validateCron} does
 */
export function cronTicks(expression: string, { clock, signal, timezone }: CronTicksOptions): Ticks {
  const cron = parseCron(expression, timezone)
  return ticks({ clock, signal }, () => {
    let due: number | undefined
    let last = -Infinity
    return {
      left() {
        const now = clock.wallTime()
        if (due !== undefined && due <= now && now - due <= WALL_CLOCK_STEP_MS) return 0
        // Set back further than that, the clock was wrong when the last tick came.
        if (last - now > WALL_CLOCK_STEP_MS) last = -Infinity
        due = cron.nextRun(new Date(Math.max(now, last)))?.getTime() ?? Infinity
        return due === Infinity ? Infinity : Math.min(due - now, WALL_CLOCK_STEP_MS)
      },
      next() {
        last = due!
        due = undefined
      },
    }
  })
}

/**
 * Checks a cron expression in croner's grammar: five fields, seconds optional in front, or a nickname such as `@daily`.
 * @throws `ERR_INVALID_ARGUMENT`, naming the expression or time zone and what is wrong with it
 */
export function validateCron(expression: string, timezone?: string): void {
  parseCron(expression, timezone)
}

// At the first cron, because each thread that has none would pay for it too; by require, because decorators cannot wait.
function loadCroner(): typeof Cron {
  return (createRequire(import.meta.url)('croner') as { Cron: typeof Cron }).Cron
}

function parseCron(expression: string, timezone: string | undefined): Cron {
  checkTimezone(timezone)
  let cron: Cron
  try {
    cron = new (loadCroner())(expression, { mode: '5-or-6-parts', timezone, paused: true })
  } catch (error) {
    const reason = (error as Error).message.replace(/^CronPattern: /, '')
    badCron(expression, reason, { cause: error })
  }
  // croner also takes a date, which is no schedule.
  if (cron.getPattern() === undefined) {
    badCron(expression, 'it is a date, not five or six fields')
  }
  if (cron.nextRun() === null) badCron(expression, 'no date ever matches it')
  return cron
}

function badCron(expression: unknown, reason: string, details?: { cause: unknown }): never {
  fail(`${oneLine(expression)} is not a usable cron expression: ${reason}`, details)
}

function checkTimezone(timezone: string | undefined): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone }).format()
  } catch (cause) {
    fail(`${oneLine(timezone)} is not a time zone: give an IANA name such as 'Europe/Berlin'`, { cause })
  }
}

function ticks({ clock, signal }: { clock: Clock; signal: AbortSignal }, start: () => Timetable): Ticks {
  let closed = false
  let wake: (() => void) | undefined

  const ended = (): boolean => closed || signal.aborted

  async function pause(ms: number): Promise<void> {
    const waiting = new AbortController()
    const end = (): void => waiting.abort()
    wake = end
    signal.addEventListener('abort', end, { once: true })
    await delay(ms, { clock, signal: waiting.signal })
    signal.removeEventListener('abort', end)
    wake = undefined
  }

  async function* run(): AsyncGenerator<number, undefined, void> {
    const timetable = start()
    for (let count = 0; ; count++) {
      while (!ended()) {
        const left = timetable.left()
        if (left <= 0) break
        await pause(left)
      }
      if (ended()) {
        if (!closed) await nextTurn()
        return
      }
      yield count
      timetable.next()
    }
  }

  const generator = run()
  return {
    next: () => generator.next(),
    return() {
      // The generator takes up a return() only where it yields: while it waits, it has to be woken first.
      closed = true
      wake?.()
      return generator.return(undefined)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
