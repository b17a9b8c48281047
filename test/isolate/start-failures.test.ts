import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type IsolateOptions, isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { NoModule } from '../fixtures/calls.ts'
import { Mortal } from '../fixtures/deaths.ts'
import { Recorded, aborted } from '../fixtures/recorded.ts'
import Plain, { hidden } from '../fixtures/modules/plain.ts'
import { runClean } from '../support/clean-process.ts'
import { fakeClockOf } from '../support/fake-clock.ts'
import { both, failure, fixture, liveThreads, quiet, until } from '../support/both.ts'
import { Gate } from '../support/gate.ts'

quiet()

const at = (name: string): URL => fixture(`modules/${name}`)

async function failedStart(module: URL, options?: IsolateOptions): Promise<Error & Record<string, unknown>> {
  const handle = isolate(module, options)
  const error = await failure(handle.start())
  if (handle.state !== 'crashed') throw new Error(`It is ${handle.state}`)
  if (handle.crashReason !== error) throw new Error('The reason is another one')
  return error
}

both('a module that cannot be loaded', async (t, isolation) => {
  const missing = await failedStart(at('missing'), { isolation })
  t.equal(missing['code'], 'ERR_MODULE_NOT_FOUND')
  t.match(missing.message, /missing\./)
  t.ok(
    (await failedStart(new URL('../fixtures/broken/syntax.js', import.meta.url), { isolation })) instanceof
      SyntaxError,
  )
  const thrown = await failedStart(at('throws'), { isolation })
  t.ok(thrown instanceof RangeError)
  t.equal(thrown.message, 'the module failed')
  t.equal(liveThreads(), 0)
})

both('a module without the service', async (t, isolation) => {
  const notAService = await failedStart(at('no-service'), { isolation })
  t.ok(isBulkheadError(notAService, 'ERR_NOT_A_SERVICE'), String(notAService))
  const value = await failedStart(at('no-service'), { isolation, export: 'value' })
  t.ok(isBulkheadError(value, 'ERR_NOT_A_SERVICE'))
  const none = await failedStart(at('no-service'), { isolation, export: 'nothing' })
  t.ok(isBulkheadError(none, 'ERR_NO_SUCH_EXPORT'))
  t.match(none.message, /nothing/)
  t.equal(liveThreads(), 0)
})

both('a class without a static module: ERR_NO_MODULE, saying what to add', async (t, isolation) => {
  const error = await failure((async () => isolate(NoModule, { isolation }).start())())
  t.ok(isBulkheadError(error, 'ERR_NO_MODULE'))
  t.match(error.message, /static.*module = import\.meta\.url/)
})

both('a module that does not export that class: ERR_NO_SUCH_EXPORT', async (t, isolation) => {
  for (const serviceClass of [hidden.Unexported, class Derived extends Recorded {}]) {
    const handle = isolate(serviceClass as typeof Plain, { isolation })
    const error = await failure(handle.start())
    t.ok(isBulkheadError(error, 'ERR_NO_SUCH_EXPORT'), String(error))
    t.match(error.message, new RegExp(serviceClass.name))
    t.equal(liveThreads(), 0)
  }
})

both('what is no service class, and options that are none', async (t, isolation) => {
  t.throws(() => isolate(class {} as never, { isolation }), { code: 'ERR_NOT_A_SERVICE' })
  t.throws(() => isolate('./relative.ts', { isolation }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => isolate(Plain as never, { isolation: 'process' as never }), { code: 'ERR_NO_MODULE' })
  const bad: Record<string, unknown>[] = [{ concurrency: 0 }, { maxQueue: -1 }, { concurrency: 1.5 }]
  for (const options of bad) {
    t.throws(() => isolate(at('plain'), { isolation, ...options }), { code: 'ERR_INVALID_ARGUMENT' })
  }
  for (const name of ['startTimeout', 'stopTimeout', 'drainTimeout']) {
    t.throws(() => isolate(at('plain'), { isolation, [name]: 'soon' }), { code: 'ERR_INVALID_DURATION' })
  }
})

both('startTimeout: hooks that are merely pending', async (t, isolation) => {
  for (const step of ['onFirstStart', 'onStart', 'onStarted']) {
    const before = aborted.tasks
    const events: string[] = []
    const handle = isolate(Recorded, {
      isolation,
      startTimeout: 100,
      args: [(event) => events.push(event), { [step]: 'hang' }],
    })
    const clock = fakeClockOf(handle)
    const starting = failure(handle.start())
    await until(() => events.includes(`Recorded.${step}`), step)
    await clock.advance(99)
    t.equal(handle.state, 'starting')
    await clock.advance(1)
    const error = await starting
    t.ok(isBulkheadError(error, 'ERR_START_TIMEOUT'), String(error))
    t.match(error.message, step === 'onStarted' ? /on/ : /Recorded/)
    t.equal(handle.state, 'crashed')
    t.equal(handle.crashReason, error)
    t.equal(handle.threadId, undefined)
    if (isolation === 'inline' && step === 'onStarted') {
      await until(() => aborted.tasks > before, 'its task to end')
    }
    t.equal(liveThreads(), 0)
  }
})

t.test('startTimeout: a thread that is blocked, or a module that never ends to load', async (t) => {
  const gate = new Gate()
  const tell = (step: string): unknown => (step === 'onStart' ? gate.pass() : undefined)
  const blocked = isolate(Mortal, { startTimeout: 700, args: [{ onStart: 'block' }, tell] })
  const slow = isolate(at('slow'), { startTimeout: 500 })
  const clock = fakeClockOf(blocked, slow)
  const starting = failure(blocked.start())
  await gate.reached
  gate.open()
  await clock.advance(700)
  t.ok(isBulkheadError(await starting, 'ERR_START_TIMEOUT'))
  t.equal(liveThreads(), 0)
  const loading = failure(slow.start())
  await until(() => liveThreads() === 1)
  await clock.advance(500)
  const error = await loading
  t.ok(isBulkheadError(error, 'ERR_START_TIMEOUT'))
  t.match(error.message, /module/, 'it tells how far it got')
  t.equal(slow.state, 'crashed')
  t.equal(slow.crashReason, error)
  t.equal(liveThreads(), 0)
})

t.test('a top-level await that never settles, and an exit while it loads', async (t) => {
  const stuck = await failedStart(at('stuck'))
  t.ok(isBulkheadError(stuck, 'ERR_THREAD_EXITED'), String(stuck))
  const folder = t.testdir({
    'main.mjs': `
      import { isolate } from '${new URL('../../src/index.js', import.meta.url).href}'
      const { exitCode } = await isolate('${at('stuck').href}').start().catch((error) => error)
      console.log(exitCode)
    `,
  })
  // With the loaders of the test runner it is 0.
  t.equal(runClean(process.execPath, ['main.mjs'], { cwd: folder }), '13\n')
  const exits = await failedStart(at('exits'))
  t.ok(isBulkheadError(exits, 'ERR_THREAD_EXITED'))
  t.equal(exits['exitCode'], 4)
  t.equal(liveThreads(), 0)
})

t.test('stop() during module load', async (t) => {
  const handle = isolate(at('slow'), { stopTimeout: 300 })
  const clock = fakeClockOf(handle)
  const starting = failure(handle.start())
  await until(() => liveThreads() === 1)
  const stopping = handle.stop({ timeout: 200 }).catch(() => {})
  await clock.advance(200 + 150)
  // A thread that only waits has no stack to tell, which is waited for, too.
  await clock.advance(300)
  await stopping
  t.ok(isBulkheadError(await starting, 'ERR_STOPPED_WHILE_STARTING'))
  t.equal(handle.state, 'stopped')
  t.equal(liveThreads(), 0)
})

both(
  'as a child: ERR_START_FAILED with its path and cause, and what had started stops',
  async (t, isolation) => {
    const { Parent } = await import('../support/parents.ts')
    const events: string[] = []
    const good = isolate(Recorded, { isolation, label: 'Good', args: [(event) => events.push(event)] })
    const bad = isolate(Recorded, { isolation, label: 'Bad', args: [() => {}, { onStart: 'throw' }] })
    const parent = new Parent([new Parent([good, bad], () => {}, 'Middle')], (event) => events.push(event))
    const error = await failure(parent.start())
    t.ok(isBulkheadError(error, 'ERR_START_FAILED'))
    t.equal(error.service, 'Parent/Middle/Bad')
    t.ok(error.cause instanceof TypeError)
    t.equal(error.cause, bad.crashReason)
    t.equal(bad.state, 'crashed')
    t.equal(parent.state, 'crashed')
    t.notOk(good.started)
    t.ok(events.includes('Recorded.onShutdown'))
    t.equal(liveThreads(), 0)
  },
)

t.test('a child in a thread whose own child fails: one ERR_START_FAILED, with the full path', async (t) => {
  const { Family } = await import('../fixtures/recorded.ts')
  const { Parent } = await import('../support/parents.ts')
  const handle = isolate(Family, { args: [() => {}, {}, { onStart: 'throw' }] })
  const parent = new Parent([handle])
  const error = await failure(parent.start())
  t.ok(isBulkheadError(error, 'ERR_START_FAILED'))
  t.equal(error.service, 'Parent/Family/Second')
  t.ok(error.cause instanceof TypeError)
  t.equal(liveThreads(), 0)
})

t.test('one file that holds the class and starts the program: ERR_STARTED_WHILE_LOADING', async (t) => {
  const { output, code } = await run(fileURLToPath(at('starts')))
  t.match(output, /ERR_STARTED_WHILE_LOADING/)
  t.match(output, /file of its own/)
  t.notMatch(output, /^started$/m)
  t.not(code, 0)
})

function run(file: string): Promise<{ output: string; code: number | null }> {
  const flags = file.endsWith('.ts') ? ['--import', 'tsx'] : []
  const child = spawn(process.execPath, [...flags, file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return new Promise((resolve) => child.on('close', (code) => resolve({ output, code })))
}
