import t from 'tap'
import { isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Mortal } from '../fixtures/deaths.ts'
import { Family, Recorded } from '../fixtures/recorded.ts'
import { Parent } from '../support/parents.ts'
import { record } from '../support/record.ts'
import { failure, liveThreads, quiet } from '../support/both.ts'
import { fakeClockOf, settle } from '../support/fake-clock.ts'
import { settled } from '../support/probe.ts'

quiet()

/** How long a thread may say its last word for, once its time is over, in ms. */
const LAST_WORD = 150

t.test('a blocked thread is terminated within the budget plus its grace: ERR_STOP_TIMEOUT', async (t) => {
  const handle = isolate(Mortal)
  const clock = fakeClockOf(handle)
  await handle.start()
  const call = failure(handle.die('block'))
  const stopping = failure(handle.stop({ timeout: 300 }))
  await clock.advance(300 + LAST_WORD - 1)
  t.notOk(await settled(stopping))
  t.equal(liveThreads(), 1, 'it has all of its time')
  await clock.advance(1)
  const error = await stopping
  t.ok(isBulkheadError(error, 'ERR_STOP_TIMEOUT'))
  t.equal(error.service, 'Mortal')
  t.match(error.message, /Mortal/)
  t.match(error.message, /300 ms/)
  t.equal(typeof error.phase, 'string')
  t.equal(handle.state, 'stopped')
  t.ok(isBulkheadError(await call, 'ERR_SERVICE_STOPPED'))
  t.equal(liveThreads(), 0)
})

t.test('stopTimeout bounds a stop without a budget, and is capped by the one of the caller', async (t) => {
  const handle = isolate(Mortal, { stopTimeout: 200, args: [{ onStop: 'hang' }] })
  const long = isolate(Mortal, { stopTimeout: '1h', args: [{ onStop: 'hang' }] })
  // On this side no time passes: it is the thread that keeps to what it was given.
  fakeClockOf(handle, long)
  for (const [stop, how] of [
    [() => handle.stop(), 'of its own'],
    [() => long.stop({ timeout: 200 }), 'of the caller'],
    [() => handle.stop({ timeout: '1h' }), 'of the caller, who has more'],
  ] as const) {
    await (how === 'of the caller' ? long : handle).start()
    const error = await failure(stop())
    t.ok(isBulkheadError(error, 'ERR_STOP_TIMEOUT'), how)
    t.match(error.message, /within 200 ms/)
  }
  t.equal(liveThreads(), 0)
})

t.test(
  'a hung onStop in the thread is named with its inner path and phase; the remaining steps run',
  async (t) => {
    const events: string[] = []
    const family = isolate(Family, { args: [(event) => events.push(event), {}, { onStop: 'hang' }] })
    const parent = new Parent([family])
    // The thread counts, and has all the time that it needs to tell.
    fakeClockOf(parent, family)
    await parent.start()
    events.length = 0
    const error = await failure(parent.stop({ timeout: 300 }))
    t.ok(isBulkheadError(error, 'ERR_STOP_TIMEOUT'), String(error))
    t.equal(error.service, 'Parent/Family/Second')
    t.equal(error.phase, 'onStop')
    t.match(error.message, /Parent\/Family\/Second/)
    t.same(events, [
      'Family.onStop',
      'Second.onStop',
      'Second.onShutdown',
      'Child.onStop',
      'Child.onShutdown',
      'Family.onShutdown',
    ])
    t.equal(parent.state, 'stopped')
    t.equal(liveThreads(), 0)
  },
)

t.test('one budget for a whole tree with a blocked thread in it', async (t) => {
  const good = isolate(Recorded, { label: 'Good', args: [() => {}] })
  const blocked = isolate(Mortal, { label: 'Blocked' })
  const parent = new Parent([good, blocked])
  const clock = fakeClockOf(parent, good, blocked)
  await parent.start()
  const call = failure(blocked.die('block'))
  const stopping = failure(parent.stop({ timeout: 400 }))
  await clock.advance(400 + LAST_WORD)
  const error = await stopping
  const errors = error instanceof AggregateError ? (error.errors as Error[]) : [error]
  t.ok(errors.some((one) => isBulkheadError(one, 'ERR_STOP_TIMEOUT') && one.service === 'Parent/Blocked'))
  t.equal(good.state, 'stopped')
  t.ok(await call)
  t.equal(liveThreads(), 0)
})

t.test('a second stop() with less time shortens the first', async (t) => {
  const handle = isolate(Mortal, { stopTimeout: '1h', args: [{ onStop: 'hang' }] })
  const clock = fakeClockOf(handle)
  await handle.start()
  const first = failure(handle.stop())
  await settle()
  const second = failure(handle.stop({ timeout: 200 }))
  await clock.advance(200)
  t.equal(await first, await second, 'one outcome')
  t.match(await second, { code: 'ERR_STOP_TIMEOUT' })
  t.equal(liveThreads(), 0)
})

t.test('leftovers: the thread is ended, and what held it is logged', async (t) => {
  const log = record(t)
  for (const [what, name] of [
    ['timer', /Timeout|Timer|interval/i],
    ['server', /TCP|Server/i],
    ['busy timer', /Timeout|Timer|interval/i],
  ] as const) {
    const handle = isolate(Mortal)
    // On this side it is waited for as long as it takes.
    fakeClockOf(handle)
    await handle.start()
    await handle.leave(what)
    await handle.stop()
    t.equal(handle.state, 'stopped', what)
    t.equal(liveThreads(), 0)
    const told = log.lines.splice(0).filter(({ level }) => level >= 40)
    t.equal(told.length, 1, JSON.stringify(told))
    t.match(told[0]?.msg, name)
    t.match(told[0]?.msg, /Mortal/)
  }
  const clean = isolate(Mortal)
  await clean.start()
  await clean.stop()
  t.same(
    log.lines.filter(({ level }) => level >= 40),
    [],
    'nothing to tell of one that left nothing',
  )
})
