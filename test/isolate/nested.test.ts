import t from 'tap'
import { isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Nest } from '../fixtures/recorded.ts'
import { fakeClockOf } from '../support/fake-clock.ts'
import { Parent } from '../support/parents.ts'
import { both, failure, liveThreads, quiet, until } from '../support/both.ts'

quiet()

const threadOf = (view: unknown): number | undefined => (view as { threadId?: number } | undefined)?.threadId

both('a service isolates its own children: the whole tree is visible at the root', async (t, isolation) => {
  const events: string[] = []
  const tell = (event: string): void => void events.push(event)
  const handle = isolate(Nest, { isolation, args: [isolation, tell, {}, 2], label: 'Outer' })
  const parent = new Parent([handle])
  await parent.start()
  const tree = [...parent.beacon.traverse()]
  t.same(
    tree.map(({ path }) => path),
    ['Parent', 'Parent/Outer', 'Parent/Outer/Nest1', 'Parent/Outer/Nest1/Inner'],
  )
  t.ok(tree.every(({ data }) => data.state === 'running'))
  const threads = new Set(tree.map(({ data }) => threadOf(data)))
  t.equal(threads.size, isolation === 'thread' ? 4 : 2, 'threads show')
  t.match(parent.beacon.toTree(), /Inner/)
  t.equal(await handle.innerThread(), threadOf(tree[2]?.data))
  const facts = (await handle.callInner('callInner', 'facts')) as { path: string }
  t.equal(facts.path, 'Parent/Outer/Nest1/Inner', 'the innermost knows its place')
  t.same(await handle.callInner('callInner', 'act', 'late'), 'late: running')
  events.length = 0
  await parent.stop()
  t.same(
    events.filter((event) => /onStop$|onShutdown$/.test(event)),
    ['Outer.onStop', 'Nest1.onStop', 'Recorded.onStop', 'Recorded.onShutdown'],
  )
  t.ok(tree.every(({ data }) => data.state === 'stopped'))
  t.equal(liveThreads(), 0)
})

both('a crash of the nested one goes up to the root with its reason', async (t, isolation) => {
  const handle = isolate(Nest, { isolation, args: [isolation, () => {}] })
  const parent = new Parent([handle])
  await parent.start()
  const inner = handle.children[0]
  await handle.poke('later', 'throw')
  await parent.waitUntilStopped()
  t.equal(parent.state, 'crashed')
  t.ok(parent.crashReason instanceof RangeError)
  t.equal((parent.crashReason as Error).message, 'a future failed')
  t.equal(handle.crashReason, parent.crashReason)
  await parent.stop()
  t.equal(inner?.state, 'crashed')
  t.equal((inner as { crashReason: Error }).crashReason.message, 'a future failed')
  t.equal(liveThreads(), 0)
})

t.test('the death of the nested thread goes up; that of the outer one ends the nested', async (t) => {
  const handle = isolate(Nest, { args: ['thread', () => {}] })
  await handle.start()
  await handle.poke('act', 'exit')
  await handle.stop()

  const again = isolate(Nest, { args: ['thread', () => {}, { onStart: 'exit' }] })
  const error = await failure(again.start())
  t.ok(isBulkheadError(error, 'ERR_START_FAILED'), String(error))
  t.ok(isBulkheadError(error.cause, 'ERR_THREAD_EXITED'))
  t.equal(liveThreads(), 0)

  const events: string[] = []
  const outer = isolate(Nest, { args: ['thread', (event) => events.push(event)] })
  await outer.start()
  const inner = outer.children[0]
  t.equal(inner?.state, 'running')
  await outer.die()
  await until(() => outer.state === 'crashed')
  t.ok(isBulkheadError(outer.crashReason, 'ERR_THREAD_EXITED'))
  t.equal((outer.crashReason as { exitCode: number }).exitCode, 5)
  t.equal(inner?.state, 'crashed', 'what was in it has ended with it')
  await outer.stop()
  t.equal(liveThreads(), 0)
  const before = events.length
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(events.length, before)
})

t.test(
  'a blocked nested thread is ended within the budget of the root, and named with its path',
  async (t) => {
    const handle = isolate(Nest, { args: ['thread', () => {}, { onStop: 'block' }] })
    const parent = new Parent([handle])
    // No time passes here: the thread between keeps to what it is given.
    fakeClockOf(parent, handle)
    await parent.start()
    const error = await failure(parent.stop({ timeout: 500 }))
    t.ok(isBulkheadError(error, 'ERR_STOP_TIMEOUT'), String(error))
    const [, within] = /within (\d+) ms/.exec(error.message) ?? []
    t.ok(Number(within) <= 500, error.message)
    t.equal(error.service, 'Parent/Nest/Inner')
    t.equal(parent.state, 'stopped')
    t.equal(liveThreads(), 0)
  },
)

both('a restart of the nested one shows at the root', async (t, isolation) => {
  const handle = isolate(Nest, { isolation, args: [isolation, () => {}] })
  await handle.start()
  const before = handle.children[0]
  await handle.callInner('restart')
  t.equal(handle.children[0], before, 'the same view')
  await until(() => before?.restartCount === 1 && before.state === 'running')
  t.equal(await handle.callInner('act', 'late'), 'late: running')
  await handle.stop()
  t.equal(liveThreads(), 0)
})
