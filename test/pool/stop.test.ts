import { once } from 'node:events'
import t from 'tap'
import { isBulkheadError, Pool, Service } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { QuotaError } from '../fixtures/library-tasks.ts'
import { Pooled } from '../fixtures/pooled.ts'
import { failure, liveThreads, quiet, until } from '../support/both.ts'
import { runClean } from '../support/clean-process.ts'
import { fakeClockOf, settle } from '../support/fake-clock.ts'
import { settled } from '../support/probe.ts'
import { record } from '../support/record.ts'
import { begun, gate, started, TASKS } from './support.ts'

// A test that records the log ends with none set.
t.beforeEach(quiet)

const ROOT = new URL('../..', import.meta.url).pathname

t.test('stop(): new ones are refused, queued ones reject, running ones finish', async (t) => {
  const pool = await started(t)
  const { shared, entered, open } = gate()
  const running = pool.run(shared, { name: 'held' })
  await begun(entered)
  const queued = [failure(pool.run(1)), failure(pool.run(2))]
  const stopping = pool.stop()
  const refused = await failure(pool.run(3))
  t.ok(isBulkheadError(refused, 'ERR_NOT_RUNNING'))
  for (const error of await Promise.all(queued)) {
    t.ok(isBulkheadError(error, 'ERR_SERVICE_STOPPED'), String(error))
    t.equal(error['service'], 'Pool')
  }
  t.equal(pool.state, 'stopping', 'it waits for the one that runs')
  t.equal(liveThreads(), 1)
  open()
  t.equal(await running, 'let through')
  await stopping
  t.equal(pool.state, 'stopped')
  t.equal(liveThreads(), 0)
})

t.test('stop() with a budget: what outlives it rejects, and its thread ends', async (t) => {
  const pool = await started(t, { maxThreads: 2, minThreads: 2 })
  const clock = fakeClockOf(pool)
  const { shared, entered } = gate()
  const first = failure(pool.run(shared, { name: 'held' }))
  await begun(entered)
  const second = failure(pool.run(undefined, { name: 'spin' }))
  const stopping = failure(pool.stop({ timeout: 100 }))
  await clock.advance(99)
  t.notOk(await settled(stopping))
  await clock.advance(1)
  const stop = await stopping
  t.ok(isBulkheadError(stop, 'ERR_STOP_TIMEOUT'), String(stop))
  t.match(stop.message, /task held, task spin/, 'it names what overran')
  for (const error of await Promise.all([first, second])) t.ok(isBulkheadError(error, 'ERR_STOP_TIMEOUT'))
  t.equal(pool.state, 'stopped')
  t.equal(liveThreads(), 0)
  await pool.start()
  t.equal(await pool.run(1), 2, 'and it can be started again')
  await pool.stop()
})

t.test('stop() with a budget that is enough', async (t) => {
  const pool = await started(t)
  const { shared, entered, open } = gate()
  const running = pool.run(shared, { name: 'held' })
  await begun(entered)
  const clock = fakeClockOf(pool)
  const stopping = pool.stop({ timeout: 5000 })
  await clock.advance(4999)
  open()
  await stopping
  t.equal(await running, 'let through')
})

t.test('crash(): everything rejects in that same turn, and the threads end', async (t) => {
  const pool = await started(t)
  const running = failure(pool.run(undefined, { name: 'spin' }))
  const { shared, entered } = gate()
  const queued = failure(pool.run(shared, { name: 'note' }))
  const reason = new Error('given up')
  const crash = pool.crash(reason)
  t.equal(pool.state, 'crashed')
  t.ok(isBulkheadError(await failure(pool.run(1)), 'ERR_NOT_RUNNING'))
  for (const error of await Promise.all([running, queued])) {
    t.ok(isBulkheadError(error, 'ERR_SERVICE_CRASHED'), String(error))
    t.equal(error.cause, reason)
  }
  await crash
  t.equal(entered(), 0)
  t.equal(liveThreads(), 0, 'although a task never ended, and there was no budget')
  await pool.start()
  t.equal(await pool.run(1), 2)
  await pool.stop()
})

t.test('a crash during a stop that waits for a task ends the wait', async (t) => {
  const pool = await started(t)
  const { shared, entered } = gate()
  const running = failure(pool.run(shared, { name: 'held' }))
  await begun(entered)
  const stopping = pool.stop()
  await settle()
  const reason = new Error('given up')
  await pool.crash(reason)
  await stopping
  t.equal((await running).cause, reason)
  t.equal(pool.state, 'crashed')
  t.equal(liveThreads(), 0)
})

t.test('restart(): new threads, fresh modules', async (t) => {
  const pool = await started(t)
  t.equal(await pool.run(undefined, { name: 'count' }), 1)
  t.equal(await pool.run(undefined, { name: 'count' }), 2)
  const before = await pool.run<{ threadId: number }>(undefined, { name: 'where' })
  await pool.restart()
  t.equal(pool.restartCount, 1)
  const after = await pool.run<{ threadId: number }>(undefined, { name: 'where' })
  t.not(after.threadId, before.threadId)
  t.equal(await pool.run(undefined, { name: 'count' }), 1)
  await pool.stop()
  t.equal(liveThreads(), 0)
})

t.test('threads that cannot be made fail the start with that error', async (t) => {
  const pool = new Pool({ filename: TASKS, execArgv: ['--no-such-flag'] })
  const error = await failure(pool.start())
  t.equal(error['code'], 'ERR_WORKER_INVALID_EXEC_ARGV')
  t.equal(pool.state, 'crashed')
  t.equal(await failure(pool.start()).then((again) => again['code']), 'ERR_WORKER_INVALID_EXEC_ARGV')
  t.equal(liveThreads(), 0)
})

t.test('threads that fail as they begin crash the pool: no task waits for ever', async (t) => {
  record(t, { level: 'silent' })
  const pool = new Pool({
    filename: TASKS,
    minThreads: 1,
    maxThreads: 1,
    execArgv: ['--import', 'data:text/javascript,throw new RangeError("no way")'],
  })
  await pool.start()
  const task = failure(pool.run(1))
  await until(() => pool.state === 'crashed')
  t.match(String(await task), /no way|ERR_SERVICE_CRASHED|crashed/)
  await pool.stop()
  await until(() => liveThreads() === 0)
})

t.test('as a child it starts and stops with its parent', async (t) => {
  const pool = new Pool({ filename: TASKS, minThreads: 1, maxThreads: 1 })
  class Parent extends Service {
    override lifecycleLevel = 'silent' as const
    protected override onInitDependencies(): Pool[] {
      return [pool]
    }
  }
  const parent = new Parent()
  const clock = fakeClockOf(parent, pool)
  await parent.start()
  t.equal(pool.beacon.path, 'Parent/Pool')
  t.equal(await pool.run(1), 2)
  const { shared, entered } = gate()
  const running = failure(pool.run(shared, { name: 'held' }))
  await begun(entered)
  const stopping = failure(parent.stop({ timeout: 100 }))
  await clock.advance(100)
  const stop = await stopping
  t.ok(isBulkheadError(stop, 'ERR_STOP_TIMEOUT'))
  t.equal(stop['service'], 'Parent/Pool')
  t.ok(isBulkheadError(await running, 'ERR_STOP_TIMEOUT'))
  t.equal(liveThreads(), 0)
})

for (const isolation of ['inline', 'thread'] as const) {
  t.test(`inside an isolated service [${isolation}]`, async (t) => {
    const log = record(t)
    const handle = isolate(Pooled, { isolation })
    t.teardown(() => handle.stop({ timeout: 0 }).catch(() => {}))
    await handle.start()
    t.same(
      handle.children.map(({ label, state }) => ({ label, state })),
      [{ label: 'Pool', state: 'running' }],
    )
    t.equal(await handle.double(4), 8)
    const where = (await handle.where()) as { isMainThread: boolean; threadId: number }
    t.equal(where.isMainThread, false)
    t.not(where.threadId, handle.threadId)
    const error = await failure(handle.fail(9 as never))
    t.ok(error instanceof QuotaError, 'whole over two threads')
    t.equal(error['quota'], 9)
    await handle.say('two threads down')
    await until(() => log.lines.some(({ name, msg }) => name === 'tasks' && /two threads down/.test(msg)))
    await handle.restart()
    t.equal(await handle.double(5), 10)
    const { shared, entered } = gate()
    const forever = failure(handle.forever(shared))
    await begun(entered)
    await handle.stop({ timeout: 300 }).catch(() => {})
    t.match((await forever)['code'], /^ERR_(STOP_TIMEOUT|SERVICE_STOPPED)$/)
    await until(() => liveThreads() === 0, 'all threads to be gone')
  })
}

t.test('piscina is loaded when a pool starts, not before', async (t) => {
  const program = `
    import { createRequire } from 'node:module'
    const require = createRequire(${JSON.stringify(import.meta.url)})
    const loaded = () => Object.keys(require.cache).some((file) => /node_modules.piscina/.test(file))
    const { Pool } = await import(${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)})
    const pool = new Pool({ filename: ${JSON.stringify(TASKS.href)}, minThreads: 1, maxThreads: 1 })
    pool.lifecycleLevel = 'silent'
    const before = loaded()
    await pool.start()
    console.log(JSON.stringify({ before, after: loaded(), result: await pool.run(4) }))
    await pool.stop()
  `
  const output = runClean(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: ROOT,
  })
  t.same(JSON.parse(output), { before: false, after: true, result: 8 })
  t.pass('and the process ended by itself')
})

t.test('a process that stops its pool in the middle of a task ends by itself', async (t) => {
  const program = `
    import { Pool } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
    const pool = new Pool({ filename: ${JSON.stringify(TASKS.href)}, minThreads: 2, maxThreads: 2 })
    pool.lifecycleLevel = 'silent'
    await pool.start()
    const spin = pool.run(undefined, { name: 'spin' }).catch(({ code }) => code)
    const stop = await pool.stop({ timeout: '200ms' }).catch(({ code }) => code)
    console.log(JSON.stringify([await spin, stop]))
  `
  const output = runClean(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: ROOT,
  })
  t.same(JSON.parse(output), ['ERR_STOP_TIMEOUT', 'ERR_STOP_TIMEOUT'])
})

t.test('threads beyond minThreads end when they are idle', async (t) => {
  const pool = await started(t, { minThreads: 0, maxThreads: 2, idleTimeout: 30 })
  t.equal(liveThreads(), 0, 'none before the first task')
  await Promise.all([pool.run(1), pool.run(2)])
  await until(() => liveThreads() === 0, 'the idle threads to end')
  t.equal(await pool.run(3), 6)
  await pool.stop()
})

t.test('await using stops it', async (t) => {
  const exited = once(process, 'worker')
  {
    await using pool = new Pool({ filename: TASKS, minThreads: 1, maxThreads: 1 })
    await pool.start()
    await exited
    t.equal(await pool.run(1), 2)
  }
  t.equal(liveThreads(), 0)
})
