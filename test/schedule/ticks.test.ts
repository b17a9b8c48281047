import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import t from 'tap'
import { nextTurn } from '../../src/base/clock.ts'
import { delay } from '../../src/base/wait.ts'
import { intervalTicks, type Ticks } from '../../src/schedule/ticks.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

function setUp() {
  const clock = new FakeClock()
  const controller = new AbortController()
  const { signal } = controller
  const leftovers = () => ({ timers: clock.pending, listeners: getEventListeners(signal, 'abort').length })
  return { clock, controller, signal, leftovers }
}

const NONE = { timers: 0, listeners: 0 }

function collect(ticks: Ticks, clock: FakeClock, busy: (tick: number) => number = () => 0) {
  const seen = { ticks: [] as number[], times: [] as number[], over: false }
  const signal = new AbortController().signal
  const done = (async () => {
    for await (const tick of ticks) {
      seen.ticks.push(tick)
      seen.times.push(clock.now())
      await delay(busy(tick), { clock, signal })
    }
    seen.over = true
  })()
  return { seen, done }
}

void t.test('the first tick comes after one interval, the others on the grid', async (t) => {
  const { clock, controller, signal, leftovers } = setUp()
  const { seen, done } = collect(intervalTicks(100, { clock, signal }), clock, () => 30)
  await clock.advance(350)
  t.strictSame(seen.ticks, [0, 1, 2])
  t.strictSame(seen.times, [100, 200, 300])
  controller.abort()
  await done
  t.strictSame(leftovers(), NONE)
})

void t.test('immediate ticks at once', async (t) => {
  const { clock, signal } = setUp()
  const { seen } = collect(intervalTicks(100, { clock, signal, immediate: true }), clock)
  await clock.advance(250)
  t.strictSame(seen.times, [0, 100, 200])
})

void t.test('the grid begins when the first tick is asked for', async (t) => {
  const { clock, signal } = setUp()
  const ticks = intervalTicks(100, { clock, signal })
  await clock.advance(50)
  const { seen } = collect(ticks, clock)
  await clock.advance(300)
  t.strictSame(seen.times, [150, 250, 350])
})

void t.test('an overrun skips ticks and never bursts', async (t) => {
  const { clock, signal } = setUp()
  const { seen } = collect(intervalTicks(100, { clock, signal }), clock, (tick) => (tick === 1 ? 250 : 100))
  await clock.advance(900)
  // Busy until 450 at first; then until the very moment of a tick, which is not in the future.
  t.strictSame(seen.times, [100, 300, 600, 800])
  t.strictSame(seen.ticks, [0, 1, 2, 3])
})

void t.test('random overruns: ticks are on the grid, one a slot, none before it is due', async () => {
  const overruns = fc.array(fc.nat(400), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 120 }),
      overruns,
      fc.boolean(),
      async (every, busy, immediate) => {
        const { clock, controller, signal } = setUp()
        await clock.advance(17)
        const { seen, done } = collect(
          intervalTicks(every, { clock, signal, immediate }),
          clock,
          (tick) => busy[tick] ?? 0,
        )
        await clock.advance(every * 3 + busy.reduce((sum, ms) => sum + ms + every, 0))
        controller.abort()
        await clock.advance(400)
        await done
        const slots = seen.times.map((time) => (time - 17) / every)
        if (slots.length <= busy.length) return false
        if (seen.ticks.some((tick, index) => tick !== index)) return false
        if (slots[0] !== (immediate ? 0 : 1)) return false
        return slots.slice(1).every((slot, index) => {
          // The next slot after the work was over, no other.
          const free = slots[index]! + (busy[index] ?? 0) / every
          return slot === Math.floor(free + 1e-9) + 1
        })
      },
    ),
    { numRuns: 60 },
  )
})

void t.test('fractions of milliseconds neither drift nor tick twice', async (t) => {
  const { clock, signal } = setUp()
  const { seen } = collect(intervalTicks(1.1, { clock, signal }), clock)
  await clock.advance(1100)
  const slots = seen.times.map((time) => Math.round(time / 1.1))
  t.equal(new Set(slots).size, slots.length)
  t.ok(seen.times.every((time, index) => Math.abs(time / 1.1 - slots[index]!) < 1e-6))
  t.ok(slots.length >= 998)
})

void t.test('an interval below a millisecond is refused at the call', async (t) => {
  const { clock, signal } = setUp()
  for (const every of [0, 0.5, -1, Number.NaN]) {
    t.throws(() => intervalTicks(every, { clock, signal }), {
      code: 'ERR_INVALID_ARGUMENT',
      message: `An interval of ${every} ms is too short: give at least 1 ms`,
    })
  }
})

void t.test('Infinity never ticks, but once if immediate, and ends on abort', async (t) => {
  for (const immediate of [false, true]) {
    const { clock, controller, signal, leftovers } = setUp()
    const { seen, done } = collect(intervalTicks(Infinity, { clock, signal, immediate }), clock)
    await clock.advance(1e12)
    t.strictSame(seen.ticks, immediate ? [0] : [])
    controller.abort()
    await done
    t.strictSame(leftovers(), NONE)
  }
})

void t.test('an abort ends a wait at once, and leaves no timer and no listener', async (t) => {
  const { clock, controller, signal, leftovers } = setUp()
  const { seen, done } = collect(intervalTicks(100, { clock, signal }), clock)
  await settle()
  t.strictSame(leftovers(), { timers: 1, listeners: 1 })
  controller.abort(new Error('not to be seen'))
  t.strictSame(leftovers(), NONE)
  await done
  t.equal(seen.over, true)
})

void t.test('an abort while the consumer is busy ends the loop when it asks again', async (t) => {
  const { clock, controller, signal, leftovers } = setUp()
  const { seen, done } = collect(intervalTicks(100, { clock, signal }), clock, () => 50)
  await clock.advance(110)
  t.strictSame(leftovers(), { timers: 1, listeners: 0 })
  controller.abort()
  await clock.advance(39)
  t.equal(seen.over, false)
  await clock.advance(1)
  await done
  t.strictSame(seen.ticks, [0])
})

void t.test('the end after an abort is never sooner than a turn of the event loop', async (t) => {
  const { clock, controller, signal } = setUp()
  controller.abort()
  const turn = { over: false }
  void nextTurn().then(() => (turn.over = true))
  for await (const tick of intervalTicks(1, { clock, signal, immediate: true })) t.fail(`tick ${tick}`)
  t.equal(turn.over, true)
})

void t.test('return() while waiting, between ticks and before the first', async (t) => {
  const { clock, signal, leftovers } = setUp()
  const waiting = intervalTicks(100, { clock, signal })
  const pending = [waiting.next(), waiting.next()]
  await settle()
  t.strictSame(await waiting.return?.(), { value: undefined, done: true })
  t.strictSame(await Promise.all(pending), [
    { value: undefined, done: true },
    { value: undefined, done: true },
  ])
  t.strictSame(leftovers(), NONE)

  const broken = intervalTicks(100, { clock, signal })
  const loop = (async () => {
    for await (const _ of broken) break
  })()
  await clock.advance(100)
  await loop
  t.strictSame(leftovers(), NONE)
  t.strictSame(await broken.next(), { value: undefined, done: true })

  const fresh = intervalTicks(100, { clock, signal })
  await fresh.return?.()
  t.strictSame(await fresh.next(), { value: undefined, done: true })
  t.strictSame(leftovers(), NONE)
})
