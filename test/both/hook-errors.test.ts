import { type Isolation } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { type Script, Recorded } from '../fixtures/recorded.ts'
import { both, failure, liveThreads } from '../support/both.ts'
import { record } from '../support/record.ts'

function recorded(isolation: Isolation, script?: Script) {
  const events: string[] = []
  const handle = isolate(Recorded, { isolation, args: [(event) => void events.push(event), script] })
  return { events, handle, take: () => events.splice(0) }
}

for (const step of [
  'constructor',
  'postInit',
  'onInitDependencies',
  'onFirstStart',
  'onStart',
  'onStarted',
]) {
  both(`an error in ${step} fails start() with that error and leaves nothing`, async (t, isolation) => {
    const log = record(t)
    const { handle, events } = recorded(isolation, { [step]: 'throw' })
    const error = await failure(handle.start())
    t.ok(error instanceof TypeError)
    t.equal(error.message, `${step} failed`)
    t.equal(handle.state, 'crashed')
    t.equal(handle.crashReason, error)
    t.equal(liveThreads(), 0)
    t.equal(events.includes('Recorded.onStop'), step === 'onStarted', 'onStop runs past onStart only')
    t.equal(events.includes('Recorded.onShutdown'), step === 'onStarted')
    t.same(
      log.problems.map(({ msg }) => msg),
      [],
      'told to the caller, not to the log',
    )
    if (step !== 'onStart') return
    const again = await failure(handle.start())
    t.equal(again.message, `${step} failed`, 'it may be tried again')
  })
}

for (const step of ['onStop', 'onShutdown']) {
  both(`an error in ${step} does not skip the rest, and stop() rejects with it`, async (t, isolation) => {
    record(t, { level: 'silent' })
    const { handle, events, take } = recorded(isolation, { [step]: 'throw' })
    await handle.start()
    take()
    const [error, same] = await Promise.all([failure(handle.stop()), failure(handle.stop())])
    t.ok(error instanceof TypeError)
    t.equal(error.message, `${step} failed`)
    t.equal(error, same, 'every caller gets the same outcome')
    t.equal(handle.state, 'stopped')
    t.same(events, ['Recorded.onStop', 'Recorded.task aborted', 'Recorded.onShutdown'])
    t.equal(liveThreads(), 0)
  })
}

both('several errors of a stop are one AggregateError', async (t, isolation) => {
  record(t, { level: 'silent' })
  const { handle } = recorded(isolation, { onStop: 'throw', onShutdown: 'throw' })
  await handle.start()
  const error = await failure(handle.stop())
  t.ok(error instanceof AggregateError)
  t.same(
    (error as unknown as AggregateError).errors.map(({ message }: Error) => message),
    ['onStop failed', 'onShutdown failed'],
  )
  t.equal(handle.state, 'stopped')
})

both('a future that fails crashes the service with that error', async (t, isolation) => {
  record(t, { level: 'silent' })
  const { handle, events } = recorded(isolation)
  await handle.start()
  await handle.later('throw')
  await handle.waitUntilStopped()
  t.equal(handle.state, 'crashed')
  t.ok(handle.crashReason instanceof RangeError)
  await handle.stop()
  t.ok(events.includes('Recorded.onShutdown'))
})

both('a task that fails during start fails it', async (t, isolation) => {
  record(t, { level: 'silent' })
  const { handle } = recorded(isolation, { task: 'throw' })
  const error = await failure(handle.start())
  t.ok(error instanceof TypeError)
  t.equal(error.message, 'task failed')
  t.equal(handle.state, 'crashed')
  t.equal(liveThreads(), 0)
})
