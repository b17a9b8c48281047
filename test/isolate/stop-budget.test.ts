import t from 'tap'
import { isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Mortal } from '../fixtures/deaths.ts'
import { Family, Recorded } from '../fixtures/recorded.ts'
import { Parent } from '../support/parents.ts'
import { record } from '../support/record.ts'
import { failure, liveThreads, quiet, sleep } from '../support/both.ts'

quiet()

/** The grace and the way, and a machine that is busy. */
const SLACK = 1000

t.test('a blocked thread is terminated within the budget plus its grace: ERR_STOP_TIMEOUT', async (t) => {
  const handle = isolate(Mortal)
  await handle.start()
  const call = failure(handle.die('block'))
  await sleep(50)
  const from = Date.now()
  const error = await failure(handle.stop({ timeout: 300 }))
  const took = Date.now() - from
  t.ok(took >= 290 && took < 300 + SLACK, `${took} ms`)
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
  await handle.start()
  let from = Date.now()
  const error = await failure(handle.stop())
  t.ok(Date.now() - from < 200 + SLACK)
  t.ok(isBulkheadError(error, 'ERR_STOP_TIMEOUT'))
  const long = isolate(Mortal, { stopTimeout: '1h', args: [{ onStop: 'hang' }] })
  await long.start()
  from = Date.now()
  t.ok(isBulkheadError(await failure(long.stop({ timeout: 200 })), 'ERR_STOP_TIMEOUT'))
  t.ok(Date.now() - from < 200 + SLACK)
  t.equal(liveThreads(), 0)
})

t.test(
  'a hung onStop in the thread is named with its inner path and phase; the remaining steps run',
  async (t) => {
    const events: string[] = []
    const family = isolate(Family, { args: [(event) => events.push(event), {}, { onStop: 'hang' }] })
    const parent = new Parent([family])
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
  await parent.start()
  const call = failure(blocked.die('block'))
  await sleep(50)
  const from = Date.now()
  const error = await failure(parent.stop({ timeout: 400 }))
  t.ok(Date.now() - from < 400 + SLACK, `${Date.now() - from} ms`)
  const errors = error instanceof AggregateError ? (error.errors as Error[]) : [error]
  t.ok(errors.some((one) => isBulkheadError(one, 'ERR_STOP_TIMEOUT') && one.service === 'Parent/Blocked'))
  t.equal(good.state, 'stopped')
  t.ok(await call)
  t.equal(liveThreads(), 0)
})

t.test('a second stop() with less time shortens the first', async (t) => {
  const handle = isolate(Mortal, { stopTimeout: '1h', args: [{ onStop: 'hang' }] })
  await handle.start()
  const first = failure(handle.stop())
  await sleep(30)
  const from = Date.now()
  const second = await failure(handle.stop({ timeout: 200 }))
  t.ok(Date.now() - from < 200 + SLACK)
  t.equal(await first, second, 'one outcome')
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
