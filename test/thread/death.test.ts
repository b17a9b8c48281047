import t from 'tap'
import { isBulkheadError, isolate } from '../../src/index.ts'
import { type Death, Mortal } from '../fixtures/deaths.ts'
import { failure, liveThreads, quiet, sleep, until } from '../support/both.ts'

quiet()

const SMALL = { resourceLimits: { maxOldGenerationSizeMb: 64 } }

function check(t: Tap, how: Death, reason: unknown): void {
  const error = reason as Error & Record<string, unknown>
  switch (how) {
    case 'exit':
    case 'exit 0':
      t.ok(isBulkheadError(error, 'ERR_THREAD_EXITED'), `${how}: ${String(error)}`)
      t.equal(error['exitCode'], how === 'exit' ? 7 : 0)
      break
    case 'memory':
      t.ok(isBulkheadError(error, 'ERR_THREAD_OUT_OF_MEMORY'), String(error))
      break
    case 'throw':
      t.ok(error instanceof RangeError, String(error))
      t.equal(error.message, 'thrown by a timer')
      t.equal(error['code'], 'E_TIMER')
      t.equal((error.cause as Error).message, 'below')
      t.match(error.stack, /deaths\./)
      break
    case 'reject':
      t.ok(error instanceof SyntaxError, String(error))
      t.equal(error.message, 'nobody handles it')
      break
    case 'throw a value':
      t.equal(reason, 'just a text')
      break
    case 'block':
  }
}
type Tap = Pick<typeof t, 'ok' | 'equal' | 'match'>

for (const how of ['exit', 'exit 0', 'throw', 'throw a value', 'reject', 'memory'] as const) {
  t.test(`a thread that ends by itself (${how}) is a crash, and every call settles`, async (t) => {
    const handle = isolate(Mortal, SMALL)
    await handle.start()
    const seen: unknown[] = []
    handle.onChange(({ state, reason }) => seen.push(state, reason))
    const stream = handle.stream()[Symbol.asyncIterator]()
    await stream.next()
    const next = failure(stream.next())
    const flood = Array.from({ length: 1000 }, () => failure(handle.never()))
    const call = failure(handle.die(how))
    const error = await call
    t.ok(isBulkheadError(error, 'ERR_SERVICE_CRASHED'), String(error))
    check(t, how, error.cause)
    const errors = await Promise.all(flood)
    t.ok(
      errors.every((one) => one.code === 'ERR_SERVICE_CRASHED' && one.cause === error.cause),
      '1,000 in flight',
    )
    t.equal((await next).cause, error.cause, 'the open stream')
    t.equal(handle.state, 'crashed')
    t.equal(handle.crashReason, error.cause)
    t.same(seen[0], 'crashed')
    t.equal(seen[1], error.cause)
    await handle.stop()
    t.equal(liveThreads(), 0)
    t.ok(isBulkheadError(await failure(handle.hello()), 'ERR_NOT_RUNNING'))
    await handle.start()
    t.equal(await handle.hello(), 'hello', 'it can be started again')
    await handle.stop()
    t.equal(liveThreads(), 0)
  })
}

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
    const call = failure(handle.with({ timeout: '20s' }).never())
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
  const from = Date.now()
  while (handle.state === 'running' && Date.now() - from < 5000) {
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
  await handle.start()
  const call = failure(handle.die('block'))
  await sleep(50)
  const reason = new Error('from outside')
  const crash = handle.crash(reason)
  t.equal(handle.state, 'crashed')
  t.equal((await call).cause, reason)
  const from = Date.now()
  await crash
  t.ok(Date.now() - from < 2000)
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
