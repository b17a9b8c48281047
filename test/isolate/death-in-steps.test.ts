import t from 'tap'
import { isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Mortal } from '../fixtures/deaths.ts'
import { failure, liveThreads, quiet, sleep, until } from '../support/both.ts'
import { SMALL, check } from '../support/deaths.ts'
import { fakeClockOf } from '../support/fake-clock.ts'

quiet()

t.test('death during start rejects start() with the cause', async (t) => {
  for (const [step, how] of [
    ['constructor', 'exit'],
    ['onStart', 'exit 0'],
    ['onStart', 'throw'],
    ['onFirstStart', 'reject'],
    ['onStarted', 'memory'],
  ] as const) {
    const handle = isolate(Mortal, { ...SMALL, args: [{ [step]: how }] })
    const error = await failure(handle.start())
    check(t, how, error)
    t.equal(handle.state, 'crashed', `${step} ${how}`)
    t.equal(handle.crashReason, error)
    t.equal(handle.threadId, undefined)
    t.equal(liveThreads(), 0)
  }
})

t.test('death during stop: the stop ends, and the state is crashed', async (t) => {
  for (const [step, how] of [
    ['onStop', 'exit'],
    ['onShutdown', 'throw'],
  ] as const) {
    const handle = isolate(Mortal, { drainTimeout: 50, args: [{ [step]: how }] })
    await handle.start()
    const call = failure(handle.with({ timeout: '1h' }).never())
    await handle.stop()
    t.equal(handle.state, 'crashed')
    check(t, how, handle.crashReason)
    const error = await call
    t.match(error.code, /ERR_SERVICE_(STOPPED|CRASHED)/)
    t.equal(liveThreads(), 0)
  }
})

t.test('death while a stop waits for the hook of start', async (t) => {
  const events: string[] = []
  const handle = isolate(Mortal, { args: [{ onStart: 'throw' }, (step) => events.push(step)] })
  const starting = failure(handle.start())
  await until(() => events.includes('onStart'))
  await handle.stop()
  await starting
  t.equal(handle.state, 'crashed')
  check(t, 'throw', handle.crashReason)
  t.equal(liveThreads(), 0)
})

t.test('an inline parent crashes with it; its hooks run, its other children stop', async (t) => {
  const { Parent } = await import('../support/parents.ts')
  const events: string[] = []
  const first = isolate(Mortal, { label: 'First', args: [{}, (step) => events.push(`First.${step}`)] })
  const second = isolate(Mortal, { label: 'Second' })
  const parent = new Parent([first, second], (event) => events.push(event))
  await parent.start()
  events.length = 0
  await second.dieSoon('throw')
  await parent.waitUntilStopped()
  t.equal(parent.state, 'crashed')
  check(t, 'throw', parent.crashReason)
  t.equal(second.crashReason, parent.crashReason, 'one reason object')
  t.equal(first.state, 'crashed')
  await parent.stop()
  t.same(events, ['Parent.onStop', 'First.onStop', 'First.onShutdown', 'Parent.onShutdown'])
  t.equal(liveThreads(), 0)
})

t.test('calls that race with the death settle', async (t) => {
  const handle = isolate(Mortal)
  await handle.start()
  await handle.dieSoon('exit')
  const outcomes: Promise<string>[] = []
  while (handle.state === 'running') {
    outcomes.push(handle.hello().then(String, (error: { code: string }) => error.code))
    await sleep(0)
  }
  const told = new Set(await Promise.all(outcomes))
  for (const one of told) t.ok(['hello', 'ERR_SERVICE_CRASHED', 'ERR_NOT_RUNNING'].includes(one), one)
  await handle.stop()
  t.equal(liveThreads(), 0)
})

t.test('crash() while its thread is blocked: marked at once, ended within its stopTimeout', async (t) => {
  const handle = isolate(Mortal, { stopTimeout: 300 })
  const clock = fakeClockOf(handle)
  await handle.start()
  const call = failure(handle.die('block'))
  const reason = new Error('from outside')
  const crash = handle.crash(reason)
  t.equal(handle.state, 'crashed')
  t.equal((await call).cause, reason)
  await clock.advance(300 + 150)
  await crash
  t.equal(liveThreads(), 0)
})

t.test('a thread that somebody else terminates is a crash', async (t) => {
  const workers: { terminate(): Promise<number> }[] = []
  const onWorker = (worker: { terminate(): Promise<number> }): void => void workers.push(worker)
  process.on('worker', onWorker)
  const handle = isolate(Mortal)
  await handle.start()
  process.off('worker', onWorker)
  const call = failure(handle.never())
  await workers[0]?.terminate()
  const error = await call
  t.ok(isBulkheadError(error.cause, 'ERR_THREAD_EXITED'))
  await until(() => handle.state === 'crashed')
  await handle.stop()
})
