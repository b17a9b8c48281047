import { getEventListeners } from 'node:events'
import t from 'tap'
import { isBulkheadError, Pool } from '../../src/index.ts'
import { failure, liveThreads, quiet } from '../support/both.ts'
import { begun, gate, started, TASKS, TYPESCRIPT_TASKS } from './support.ts'

quiet()

t.test('runs the default export and named ones, in threads', async (t) => {
  const pool = await started(t, { maxThreads: 2 })
  t.equal(await pool.run<number>(21), 42)
  t.same(await Promise.all([1, 2, 3, 4, 5].map((n) => pool.run(n))), [2, 4, 6, 8, 10])
  const { isMainThread } = await pool.run<{ isMainThread: boolean }>(undefined, { name: 'where' })
  t.equal(isMainThread, false)
  t.equal(pool.label, 'Pool')
  t.equal(pool.beacon.path, 'Pool')
  await pool.stop()
  t.equal(pool.state, 'stopped')
  t.equal(liveThreads(), 0, 'after stop() resolves, the threads are gone')
})

t.test('filename is a URL, its text or an absolute path', async (t) => {
  for (const filename of [TASKS.href, TASKS.pathname]) {
    const pool = await started(t, { filename })
    t.equal(await pool.run(1), 2)
    await pool.stop()
  }
  t.throws(() => new Pool({ filename: './tasks.ts' }), { code: 'ERR_INVALID_ARGUMENT' })
})

t.test('options that make no sense are refused where they are given', async (t) => {
  for (const options of [
    { minThreads: -1 },
    { maxThreads: 0 },
    { minThreads: 3, maxThreads: 2 },
    { maxQueue: -1 },
    { maxQueue: NaN },
    { concurrentTasksPerWorker: 1.5 },
  ]) {
    t.throws(
      () => new Pool({ filename: TASKS, ...options }),
      { code: 'ERR_INVALID_ARGUMENT' },
      JSON.stringify(options),
    )
  }
  t.throws(() => new Pool({ filename: TASKS, idleTimeout: 'soon' }), { code: 'ERR_INVALID_DURATION' })
})

t.test('tasks run only while the pool does', async (t) => {
  const pool = new Pool({ filename: TASKS, label: 'Resizers' })
  const before = await failure(pool.run(1))
  t.ok(isBulkheadError(before, 'ERR_NOT_RUNNING'))
  t.equal(before['service'], 'Resizers')
  await pool.start()
  await pool.stop()
  t.ok(isBulkheadError(await failure(pool.run(1)), 'ERR_NOT_RUNNING'))
})

t.test('signal: aborted before, while queued, while running, after', async (t) => {
  const pool = await started(t)
  const reason = new Error('no longer wanted')
  t.equal(await failure(pool.run(1, { signal: AbortSignal.abort(reason) })), reason)

  const { shared, entered, open } = gate()
  const running = pool.run(shared, { name: 'held' })
  const controller = new AbortController()
  const noted = gate()
  const queued = failure(pool.run(noted.shared, { name: 'note', signal: controller.signal }))
  await begun(entered)
  t.equal(pool.queueSize, 1)
  controller.abort(reason)
  t.equal(await queued, reason)
  t.equal(pool.queueSize, 0)
  open()
  t.equal(await running, 'let through')
  t.equal(await pool.run(2), 4)
  t.equal(noted.entered(), 0, 'a queued one then never ran')

  const second = new AbortController()
  const { shared: spot, entered: isIn } = gate()
  const held = failure(pool.run(spot, { name: 'held', signal: second.signal }))
  await begun(isIn)
  second.abort(reason)
  t.equal(await held, reason)
  t.equal(await pool.run(3), 6, 'its thread was ended, and another has taken its place')

  const late = new AbortController()
  t.equal(await pool.run(4, { signal: late.signal }), 8)
  late.abort()
  t.equal(await pool.run(5), 10)
})

t.test('signal: no listener stays behind', async (t) => {
  const pool = await started(t)
  const { signal } = new AbortController()
  await Promise.all(Array.from({ length: 8 }, (_, n) => pool.run(n, { signal })))
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('maxQueue: beyond it ERR_OVERLOADED', async (t) => {
  const pool = await started(t, { maxQueue: 2 })
  const { shared, entered, open } = gate()
  const running = pool.run(shared, { name: 'held' })
  await begun(entered)
  const waiting = [pool.run(1), pool.run(2)]
  const error = await failure(pool.run(3))
  t.ok(isBulkheadError(error, 'ERR_OVERLOADED'))
  t.equal(error['service'], 'Pool')
  open()
  t.same(await Promise.all([running, ...waiting]), ['let through', 2, 4])
  t.equal(await pool.run(3), 6, 'there is room again')
})

t.test('maxQueue: 0 refuses what cannot run at once', async (t) => {
  const pool = await started(t, { maxQueue: 0 })
  const { shared, entered, open } = gate()
  const running = pool.run(shared, { name: 'held' })
  await begun(entered)
  t.ok(isBulkheadError(await failure(pool.run(1)), 'ERR_OVERLOADED'))
  open()
  await running
  t.equal(await pool.run(1), 2)
})

t.test('concurrentTasksPerWorker: asynchronous tasks share a thread', async (t) => {
  const pool = await started(t, { concurrentTasksPerWorker: 3 })
  const { shared, entered, open } = gate()
  const tasks = [1, 2, 3, 4].map(() => pool.run(shared, { name: 'linger' }))
  await begun(() => entered() === 3)
  t.equal(pool.queueSize, 1)
  open()
  t.same(await Promise.all(tasks), ['done', 'done', 'done', 'done'])
})

t.test('a TypeScript task module', async (t) => {
  const pool = await started(t, { filename: TYPESCRIPT_TASKS })
  t.equal(await pool.run(21), 42)
})
