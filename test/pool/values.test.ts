import t from 'tap'
import { isBulkheadError, transfer } from '../../src/index.ts'
import { QuotaError } from '../fixtures/library-tasks.ts'
import { failure, quiet, until } from '../support/both.ts'
import { record } from '../support/record.ts'
import { LIBRARY_TASKS, started } from './support.ts'

// A test that records the log ends with none set.
t.beforeEach(quiet)

t.test('errors arrive whole', async (t) => {
  const pool = await started(t, { filename: LIBRARY_TASKS })
  const error = await failure(pool.run('bad input', { name: 'fail' }))
  t.ok(error instanceof RangeError)
  t.equal(error.message, 'bad input')
  t.equal(error['code'], 'E_FAIL')
  t.ok(error.cause instanceof TypeError)
  t.equal((error.cause as Error).message, 'deep')
  t.match(error.stack, /tasks\./, 'where it was thrown')

  const quota = await failure(pool.run(5, { name: 'exceed' }))
  t.ok(quota instanceof QuotaError, 'a registered class')
  t.equal(quota['quota'], 5)

  const both = (await failure(pool.run(undefined, { name: 'failTogether' }))) as unknown as AggregateError
  t.ok(both instanceof AggregateError)
  t.ok(both.errors[0] instanceof SyntaxError)
  t.ok(both.errors[1] instanceof QuotaError)

  t.same(await failure(pool.run(undefined, { name: 'throwValue' })), { not: 'an error' }, 'what is no error')
  t.equal(await pool.run(1), 2, 'and the pool goes on')
})

t.test('an export that is not there, or no function', async (t) => {
  const pool = await started(t)
  for (const name of ['missing', 'notATask', 'toString']) {
    const error = await failure(pool.run(1, { name }))
    t.ok(isBulkheadError(error, 'ERR_NO_SUCH_EXPORT'), String(error))
    t.equal(error['service'], 'Pool')
    t.match(error.message, name)
  }
  t.equal(await pool.run(1), 2)
})

t.test('a task module that cannot be loaded rejects its tasks', async (t) => {
  const pool = await started(t, { filename: new URL('./nowhere.ts', import.meta.url) })
  const error = await failure(pool.run(1))
  t.equal(error['code'], 'ERR_MODULE_NOT_FOUND')
  t.equal(pool.state, 'running')
})

t.test('a task module that starts a pool itself is refused instead of doing so without end', async (t) => {
  const pool = await started(t, { filename: new URL('../fixtures/starts-itself.ts', import.meta.url) })
  const error = await failure(pool.run(1))
  t.ok(isBulkheadError(error, 'ERR_STARTED_WHILE_LOADING'), String(error))
})

t.test('transfer(): moved in, moved out', async (t) => {
  const pool = await started(t, { filename: LIBRARY_TASKS })
  const bytes = new ArrayBuffer(1024)
  t.equal(await pool.run(transfer(bytes), { name: 'length' }), 1024)
  t.equal(bytes.byteLength, 0, 'it is no longer here')

  const copied = new ArrayBuffer(16)
  t.equal(await pool.run(copied, { name: 'length' }), 16)
  t.equal(copied.byteLength, 16)

  const result = await pool.run<{ bytes: ArrayBuffer }>(2048, { name: 'give' })
  t.equal(result.bytes.byteLength, 2048)
  t.equal(new Uint8Array(result.bytes)[0], 7)
  t.equal(await pool.run(undefined, { name: 'keptLength' }), 0, 'it is no longer there')
})

t.test('Buffers arrive as Buffers, with their own bytes only', async (t) => {
  const pool = await started(t)
  const about = await pool.run<{ memory: number }>(Buffer.from('pooled'), { name: 'aboutBuffer' })
  t.match(about, { isBuffer: true, text: 'pooled' })
  t.equal(about.memory, 6)
  const { nested } = await pool.run<{ nested: Buffer }>('back', { name: 'makeBuffer' })
  t.ok(Buffer.isBuffer(nested))
  t.equal(nested.toString(), 'back')
  t.equal(nested.buffer.byteLength, 4)
  t.same(await pool.run(undefined, { name: 'makeMap' }), new Map([['epoch', new Date(0)]]))
})

t.test('what cannot be cloned rejects, and the pool goes on in the same thread', async (t) => {
  const pool = await started(t)
  const { threadId } = await pool.run<{ threadId: number }>(undefined, { name: 'where' })
  const argument = await failure(pool.run({ callback: () => {} }))
  t.ok(isBulkheadError(argument, 'ERR_NOT_CLONEABLE'), String(argument))
  for (const name of ['unclonable', 'unclonableInside']) {
    const result = await failure(pool.run(undefined, { name }))
    t.ok(isBulkheadError(result, 'ERR_NOT_CLONEABLE'), String(result))
    t.match(result.message, name)
    t.equal(result['service'], 'Pool')
  }
  t.equal((await pool.run<{ threadId: number }>(undefined, { name: 'where' })).threadId, threadId)
})

t.test('a task that kills its thread rejects, and the pool goes on', async (t) => {
  const pool = await started(t, { resourceLimits: { maxOldGenerationSizeMb: 80 } })
  for (const code of [3, 0]) {
    const queued = [failure(pool.run(code, { name: 'exit' })), pool.run(1)] as const
    const exit = await queued[0]
    t.ok(isBulkheadError(exit, 'ERR_THREAD_EXITED'), String(exit))
    t.equal(exit['exitCode'], code)
    t.equal(await queued[1], 2, 'the next one has a new thread')
  }
  const uncaught = await failure(pool.run(undefined, { name: 'failLater' }))
  t.ok(uncaught instanceof RangeError, String(uncaught))
  t.equal(uncaught.message, 'from a timer')
  const memory = await failure(pool.run(undefined, { name: 'exhaust' }))
  t.ok(isBulkheadError(memory, 'ERR_THREAD_OUT_OF_MEMORY'), String(memory))
  t.equal(pool.state, 'running')
  t.equal(await pool.run(1), 2)
})

t.test('lines that tasks log come out here, with the level of the logger here', async (t) => {
  const log = record(t)
  const pool = await started(t, { filename: LIBRARY_TASKS })
  await pool.run('hello', { name: 'say' })
  await until(() => log.lines.some(({ name }) => name === 'tasks'))
  const lines = log.lines.filter(({ name }) => name === 'tasks')
  t.match(lines, [{ msg: /hello from a task$/, threadId: Number }])
  t.equal(lines.length, 1)
})
