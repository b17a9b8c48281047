import t from 'tap'
import { Supervisor } from '../../src/supervisor/supervisor.ts'
import { Echo } from '../fixtures/echo.ts'
import { isolate } from '../support/isolate.ts'
import './support.ts'

function restarted(supervisor: Supervisor): Promise<void> {
  return new Promise((resolve) => {
    const off = supervisor.on(({ type }) => {
      if (type !== 'restarted') return
      off()
      resolve()
    })
  })
}

t.test('a thread that ends is replaced by a new one, and its sibling keeps its own', async (t) => {
  const [first, second] = [isolate(Echo, { label: 'first' }), isolate(Echo, { label: 'second' })]
  const supervisor = new Supervisor([first, second])
  await supervisor.start()
  const threads = [first.threadId, second.threadId]
  const back = restarted(supervisor)
  await t.rejects(first.exit(3))
  await back
  t.not(first.threadId, threads[0])
  t.equal(second.threadId, threads[1])
  t.equal(await first.greet('again'), 'hello again')
  t.equal(first.restartCount, 1)
  await supervisor.stop()
})

t.test('one-for-all over a child in a thread and one on this side', async (t) => {
  for (const isolation of ['thread', 'inline'] as const) {
    const handle = isolate(Echo, { label: 'handle', isolation })
    const local = new Echo()
    const supervisor = new Supervisor([handle, local], { strategy: 'one-for-all' })
    await supervisor.start()
    const back = restarted(supervisor)
    await local.crash(new Error('boom'))
    await back
    t.equal(handle.restartCount, 1, isolation)
    t.equal(await handle.greet('you'), 'hello you')
    t.equal(local.state, 'running')
    await supervisor.stop()
    t.equal(handle.threadId, undefined)
  }
})
