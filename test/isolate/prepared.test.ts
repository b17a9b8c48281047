import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import t from 'tap'
import { Service, Supervisor, isBulkheadError } from '../../src/index.ts'
import { Loaded } from '../fixtures/loaded.ts'
import { failure, fixture, liveThreads, quiet, until } from '../support/both.ts'
import { runClean } from '../support/clean-process.ts'
import { fakeClockOf } from '../support/fake-clock.ts'
import { Gate } from '../support/gate.ts'
import { isolate } from '../support/isolate.ts'
import { Parent } from '../support/parents.ts'

quiet()

/** An inline sibling that comes first, and whose start waits. */
class Slow extends Service {
  readonly gate = new Gate()

  protected override onStart(): Promise<void> {
    return this.gate.pass()
  }
}

for (const kind of ['parent', 'supervisor'] as const) {
  void t.test(
    `the thread of the next sibling is there before its turn, and only its thread: ${kind}`,
    async (t) => {
      const [slow, next, last] = [new Slow(), isolate(Loaded), isolate(Loaded, { env: { MINE: 'own' } })]
      const children = [slow, next, last]
      const parent = kind === 'parent' ? new Parent(children) : new Supervisor(children)
      process.env['BULKHEAD_TEST_EARLY'] = 'set before'
      const starting = parent.start()
      await slow.gate.reached
      await until(() => liveThreads() > 0, 'the thread')
      t.equal(next.state, 'init')
      t.equal(next.threadId, undefined)
      process.env['BULKHEAD_TEST_LATE'] = 'set while it waited'
      delete process.env['BULKHEAD_TEST_EARLY']
      slow.gate.open()
      await starting
      t.equal(liveThreads(), 2)
      t.equal(await next.atLoad('BULKHEAD_TEST_LATE'), 'set while it waited', 'its module comes in its turn')
      t.equal(await next.atLoad('BULKHEAD_TEST_EARLY'), undefined)
      t.equal(await last.atLoad('MINE'), 'own')
      t.equal(await last.atLoad('BULKHEAD_TEST_LATE'), undefined)
      await parent.stop()
      t.equal(liveThreads(), 0)
    },
  )
}

void t.test('a thread that is not used after all is gone when the start has failed', async (t) => {
  const [slow, next] = [new Slow(), isolate(Loaded)]
  const starting = failure(new Parent([slow, next]).start())
  await slow.gate.reached
  await until(() => liveThreads() === 1, 'the thread')
  slow.gate.throw(new Error('It cannot start'))
  t.ok(isBulkheadError(await starting, 'ERR_START_FAILED'))
  t.equal(liveThreads(), 0)
  t.equal(next.state, 'init')
})

void t.test('or was stopped, though a hook outlives the budget', async (t) => {
  const [slow, next] = [new Slow(), isolate(Loaded)]
  const parent = new Parent([slow, next])
  const clock = fakeClockOf(parent, slow, next)
  const starting = failure(parent.start())
  await slow.gate.reached
  await until(() => liveThreads() === 1, 'the thread')
  const stopping = failure(parent.stop({ timeout: 20 }))
  await clock.advance(20)
  t.ok(await stopping)
  t.equal(liveThreads(), 0)
  t.ok(isBulkheadError(await starting, 'ERR_STOPPED_WHILE_STARTING'))
  slow.gate.open()
  await parent.start()
  t.equal(next.state, 'running')
  await parent.stop()
})

void t.test('or the one it is for is not there any more', async (t) => {
  const [slow, next] = [new Slow(), isolate(Loaded)]
  const parent = new Parent([slow, next])
  const starting = parent.start()
  await slow.gate.reached
  await until(() => liveThreads() === 1, 'the thread')
  await parent.removeDependency(next)
  t.equal(liveThreads(), 0)
  slow.gate.open()
  await starting
  t.equal(next.state, 'init')
  await parent.stop()
})

void t.test('its place among those that wait is then free', async (t) => {
  const [slow, next, last] = [new Slow(), isolate(Loaded), isolate(Loaded)]
  const after = new Slow()
  const supervisor = new Supervisor([slow, next, after, last])
  const starting = supervisor.start()
  await slow.gate.reached
  await until(() => liveThreads() > 0, 'the thread')
  await supervisor.remove(next)
  slow.gate.open()
  await after.gate.reached
  await until(() => liveThreads() === 1, 'the thread of the last')
  after.gate.open()
  await starting
  t.equal(last.state, 'running')
  await supervisor.stop()
  t.equal(liveThreads(), 0)
})

void t.test('what a preload has set in a thread stays, whether it waited or not', async (t) => {
  const execArgv = ['--import', 'data:text/javascript,process.env.BULKHEAD_TEST_PRELOAD="set"']
  const [slow, next] = [new Slow(), isolate(Loaded, { execArgv })]
  const parent = new Parent([slow, next])
  const starting = parent.start()
  await slow.gate.reached
  slow.gate.open()
  await starting
  t.equal(await next.atLoad('BULKHEAD_TEST_PRELOAD'), 'set')
  await parent.stop()
})

void t.test('who adds a child when the last one is up is in time', async () => {
  const [slow, last, late] = [new Slow(), isolate(Loaded), new Parent([])]
  const supervisor = new Supervisor([slow, last])
  const starting = supervisor.start()
  await slow.gate.reached
  slow.gate.open()
  const up = new Promise<void>((resolve) => last.onChange(({ state }) => state === 'running' && resolve()))
  await up
  await last.maybeStart()
  supervisor.add(late)
  await starting
  await until(() => late.state === 'running', 'the added one')
  await supervisor.stop()
})

void t.test('a thread that waits for its turn does not keep the process', async (t) => {
  const folder = t.testdir({
    'main.mjs': `
      import { Service, isolate } from '${new URL('../../src/index.js', import.meta.url).href}'
      import { Loaded } from '${fixture('loaded').href}'

      class Stuck extends Service {
        lifecycleLevel = 'silent'
        child = this.addDependency(new (class extends Service {
          lifecycleLevel = 'silent'
          onStart() {
            return new Promise(() => {})
          }
        })())
        next = this.addDependency(isolate(Loaded))
      }
      process.on('exit', (code) => console.log('exit with', code))
      await new Stuck().start()
    `,
  })
  const stdout = runClean(process.execPath, ['main.mjs'], { cwd: folder, mayFail: true })
  t.match(stdout, 'exit with', 'it ends, as any process with a top-level await that never settles')
})

void t.test('whoever starts the next one first has the thread', async (t) => {
  const [slow, next] = [new Slow(), isolate(Loaded)]
  const parent = new Parent([slow, next])
  const starting = parent.start()
  await slow.gate.reached
  await next.start()
  t.equal(liveThreads(), 1)
  slow.gate.open()
  await starting
  t.equal(next.state, 'running')
  await parent.stop()
  t.equal(liveThreads(), 0)
})

void t.test('one that dies before its turn is replaced', async (t) => {
  const [slow, next] = [new Slow(), isolate(Loaded)]
  const spawned = once(process, 'worker') as Promise<[Worker]>
  const parent = new Parent([slow, next])
  const starting = parent.start()
  const [worker] = await spawned
  await worker.terminate()
  slow.gate.open()
  await starting
  t.equal(next.state, 'running')
  t.equal(next.restartCount, 0)
  await parent.stop()
  t.equal(liveThreads(), 0)
})

void t.test('what no thread can have fails the start in its turn', async (t) => {
  const [slow, next] = [new Slow(), isolate(Loaded, { execArgv: ['--no-such-flag'] })]
  const starting = failure(new Parent([slow, next]).start())
  await slow.gate.reached
  t.equal(liveThreads(), 0)
  slow.gate.open()
  const error = await starting
  t.ok(isBulkheadError(error, 'ERR_START_FAILED'))
  t.match(error, { cause: { code: 'ERR_WORKER_INVALID_EXEC_ARGV' } })
})
