import { getEventListeners } from 'node:events'
import t from 'tap'
import { systemClock } from '../../src/base/clock.ts'
import { delay } from '../../src/base/wait.ts'
import { FakeClock } from '../support/fake-clock.ts'

function setUp() {
  const clock = new FakeClock()
  const controller = new AbortController()
  const { signal } = controller
  const watch = (ms: number) => {
    const seen = { done: false, promise: delay(ms, { clock, signal }) }
    void seen.promise.then(() => (seen.done = true))
    return seen
  }
  const leftovers = () => ({ timers: clock.pending, listeners: getEventListeners(signal, 'abort').length })
  return { clock, controller, watch, leftovers }
}

const NONE = { timers: 0, listeners: 0 }

void t.test('delay resolves at its time, not before', async (t) => {
  const { clock, watch, leftovers } = setUp()
  const seen = watch(100)
  t.strictSame(leftovers(), { timers: 1, listeners: 1 })
  await clock.advance(99)
  t.equal(seen.done, false)
  await clock.advance(1)
  t.equal(seen.done, true)
  t.strictSame(leftovers(), NONE)
})

void t.test('delay resolves on abort and leaves nothing behind', async (t) => {
  const { controller, watch, leftovers } = setUp()
  const seen = [watch(100), watch(Infinity)]
  controller.abort(new Error('not to be seen'))
  t.strictSame(leftovers(), NONE)
  await Promise.all(seen.map(({ promise }) => promise))
})

void t.test('delay with an aborted signal resolves in the next microtask and sets nothing up', async (t) => {
  const { controller, watch, leftovers } = setUp()
  controller.abort()
  const seen = watch(100)
  t.strictSame(leftovers(), NONE)
  await Promise.resolve()
  t.equal(seen.done, true)
})

void t.test('delay of Infinity waits for the abort alone', async (t) => {
  const { clock, controller, watch } = setUp()
  const seen = watch(Infinity)
  await clock.advance(1e12)
  t.equal(seen.done, false)
  controller.abort()
  await seen.promise
})

void t.test('delay takes the system clock', async (t) => {
  const before = performance.now()
  await delay(1, { clock: systemClock, signal: new AbortController().signal })
  t.ok(performance.now() - before >= 1)
})
