import { getEventListeners } from 'node:events'
import t from 'tap'
import { Deferred } from '../../src/base/deferred.ts'
import { cronTicks, validateCron } from '../../src/schedule/ticks.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

function run(expression: string, from: string, timezone = 'UTC') {
  const clock = new FakeClock(Date.parse(from))
  const controller = new AbortController()
  const { signal } = controller
  const times: string[] = []
  let busy = Promise.resolve()
  const done = (async () => {
    for await (const _ of cronTicks(expression, { clock, signal, timezone })) {
      times.push(new Date(clock.wallTime()).toISOString())
      await busy
    }
  })()
  return {
    clock,
    controller,
    signal,
    times,
    done,
    hold: (promise: Promise<void>) => {
      busy = promise
    },
  }
}

void t.test('ticks at the times of the expression', async (t) => {
  const { clock, times } = run('30 18 * * *', '2024-03-01T18:00:00.250Z')
  await clock.advance(49 * HOUR)
  t.strictSame(times, ['2024-03-01T18:30:00.000Z', '2024-03-02T18:30:00.000Z', '2024-03-03T18:30:00.000Z'])
})

void t.test('seconds go in front', async (t) => {
  const { clock, times } = run('*/20 * * * * *', '2024-03-01T00:00:00Z')
  await clock.advance(MINUTE)
  t.strictSame(times, ['2024-03-01T00:00:20.000Z', '2024-03-01T00:00:40.000Z', '2024-03-01T00:01:00.000Z'])
})

void t.test('times are those of the time zone, over a change of its offset', async (t) => {
  const { clock, times } = run('0 12 * * *', '2024-03-30T00:00:00Z', 'Europe/Berlin')
  await clock.advance(48 * HOUR)
  t.strictSame(times, ['2024-03-30T11:00:00.000Z', '2024-03-31T10:00:00.000Z'])
})

void t.test('what passes while the consumer is busy is skipped', async (t) => {
  const { clock, times, hold } = run('* * * * *', '2024-03-01T00:00:30Z')
  const work = new Deferred()
  hold(work.promise)
  await clock.advance(3 * MINUTE)
  work.resolve()
  await clock.advance(MINUTE)
  t.strictSame(times, ['2024-03-01T00:01:00.000Z', '2024-03-01T00:04:00.000Z'])
})

void t.test('a clock set forward is noticed within a minute; what it jumped over is skipped', async (t) => {
  const { clock, times } = run('0 * * * *', '2024-03-01T00:10:00Z')
  await settle()
  clock.shiftWallTime(2 * HOUR)
  await clock.advance(MINUTE)
  t.strictSame(times, [])
  await clock.advance(49 * MINUTE)
  t.strictSame(times, ['2024-03-01T03:00:00.000Z'])
})

void t.test('a tick found late by up to a minute runs', async (t) => {
  const { clock, times } = run('0 * * * *', '2024-03-01T00:59:00Z')
  await settle()
  clock.shiftWallTime(MINUTE)
  await clock.advance(MINUTE)
  t.strictSame(times, ['2024-03-01T01:01:00.000Z'])
})

void t.test('a clock set back is waited for', async (t) => {
  const { clock, times } = run('0 * * * *', '2024-03-01T00:30:00Z')
  await clock.advance(20 * MINUTE)
  clock.shiftWallTime(-15 * MINUTE)
  await clock.advance(10 * MINUTE)
  t.strictSame(times, [])
  await clock.advance(15 * MINUTE)
  t.strictSame(times, ['2024-03-01T01:00:00.000Z'])
})

void t.test('a clock set back a little after a tick does not repeat it', async (t) => {
  const { clock, times } = run('0 * * * *', '2024-03-01T00:59:59Z')
  await clock.advance(2 * SECOND)
  clock.shiftWallTime(-10 * SECOND)
  await clock.advance(5 * MINUTE)
  t.strictSame(times, ['2024-03-01T01:00:00.000Z'])
  // Further back than a minute, the clock was wrong before: the tick that it now comes to is another.
  clock.shiftWallTime(-10 * MINUTE)
  await clock.advance(10 * MINUTE)
  t.strictSame(times, ['2024-03-01T01:00:00.000Z', '2024-03-01T01:00:00.000Z'])
})

void t.test('an abort ends it and leaves nothing behind', async (t) => {
  const { clock, controller, signal, done } = run('0 0 1 1 *', '2024-03-01T00:00:00Z')
  await settle()
  t.equal(clock.pending, 1)
  controller.abort()
  await done
  t.equal(clock.pending, 0)
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

void t.test('expressions are checked', async (t) => {
  for (const good of [
    '30 18 * * *',
    '0 30 18 * * MON-FRI',
    '@daily',
    '*/5 * * * *',
    '0 0 L * *',
    '0 0 29 2 *',
  ]) {
    t.doesNotThrow(() => validateCron(good), good)
  }
  t.doesNotThrow(() => validateCron('0 0 * * *', 'America/New_York'))
  const bad: [unknown, RegExp][] = [
    ['61 * * * *', /'61 \* \* \* \*' is not a usable cron expression: Invalid value for minute: 61/],
    ['* * *', /'\* \* \*' is not a usable cron expression: /],
    ['* * * * * * 2030', /has 7 parts/],
    ['', /'' is not/],
    ['2024-01-01T00:00:00', /is a date/],
    ['0 0 30 2 *', /no date ever matches/],
    [undefined, /undefined is not/],
    [new Date(0), /is a date/],
  ]
  for (const [expression, message] of bad) {
    t.throws(() => validateCron(expression as string), { code: 'ERR_INVALID_ARGUMENT', message })
  }
  t.throws(() => validateCron('* * * * *', 'Mars/Base'), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /'Mars\/Base' is not a time zone/,
  })
  const clock = new FakeClock()
  const { signal } = new AbortController()
  t.throws(() => cronTicks('nonsense', { clock, signal }), { code: 'ERR_INVALID_ARGUMENT' })
})
