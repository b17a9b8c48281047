import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '../../src/base/clock.ts'

/** Of limits that only keep a broken build from hanging for ever, in ms: no machine is that slow. */
export const FOREVER_MS = 5 * 60_000

// Threads and processes that a test starts take over what it has measured.
const KEY = 'BULKHEAD_TEST_PATIENCE'

/** What a thread that does nothing takes to start and end while the machine has nothing else to do. */
const QUIET_MS = 20
/** A machine that was quiet a moment ago need not stay so. */
const LEAST = 3
/** Tests have to end. */
const MOST = 20

/**
 * How much more time than on a quiet machine what cannot do without a real limit is given: more than a thread's start
 * takes here and now shows to be needed.
 */
export const patience = Number((process.env[KEY] ??= String(await measure())))

async function measure(): Promise<number> {
  const from = performance.now()
  // Without the loaders of the test runner.
  await once(new Worker('', { eval: true, execArgv: [] }), 'exit')
  const slowness = (performance.now() - from) / QUIET_MS
  return Math.min(Math.max(Math.round(2 * slowness), LEAST), MOST)
}

/** So many milliseconds of a quiet machine. */
export function patiently(ms: number): number {
  return ms * patience
}

/** The system's clock, slowed down as much: each of its milliseconds is one of a quiet machine. */
export const patientClock: Clock = {
  now: () => systemClock.now() / patience,
  wallTime: () => madeAt + patientClock.now() - madeNow,
  after: (ms, callback, options) => systemClock.after(patiently(ms), callback, options),
}
const madeAt = Date.now()
const madeNow = patientClock.now()

/**
 * From now on timers of this thread, or those that `isLimit` picks by their milliseconds, take as much longer, those of
 * the library, too. What other threads and processes do meanwhile takes as long as ever.
 */
export function slowDownTimers(isLimit = (_ms: number): boolean => true): void {
  const { setTimeout } = globalThis
  const slowly = (callback: () => void, ms = 0): NodeJS.Timeout =>
    setTimeout(callback, Math.min(isLimit(ms) ? patiently(ms) : ms, 2 ** 31 - 1))
  globalThis.setTimeout = slowly as typeof setTimeout
}

/** From now on `Date.now()` in this thread goes by that clock. */
export function tellTimeBy(clock: Clock): void {
  Date.now = () => clock.wallTime()
}

/** From now on no time passes in this thread by the system's clock, but for its timers. */
export function stopClock(): void {
  const now = systemClock.now()
  systemClock.now = () => now
}
