import { type Isolation, isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { type Script, Recorded } from '../fixtures/recorded.ts'
import { both, failure, liveThreads, quiet, sleep, until } from '../support/both.ts'

quiet()

function recorded(isolation: Isolation, script?: Script) {
  const events: string[] = []
  const handle = isolate(Recorded, { isolation, args: [(event) => void events.push(event), script] })
  return { events, handle }
}

both('a stop during start: the hook that runs is awaited, the rest skipped', async (t, isolation) => {
  const { handle, events } = recorded(isolation, { onStart: 'late' })
  const starting = failure(handle.start())
  await until(() => events.includes('Recorded.onStart'))
  const stopping = handle.stop()
  t.equal(handle.state, 'stopping')
  t.ok(isBulkheadError(await starting, 'ERR_STOPPED_WHILE_STARTING'))
  await stopping
  t.equal(handle.state, 'stopped')
  t.ok(events.includes('Recorded.onStart over'))
  t.notOk(events.includes('Recorded.task'))
  t.notOk(events.includes('Recorded.onStarted'))
  t.ok(events.includes('Recorded.onShutdown'), 'past onStart: both are owed')
  t.equal(liveThreads(), 0)
})

both('a stop at once after start: nothing is left', async (t, isolation) => {
  const { handle } = recorded(isolation)
  for (const wait of isolation === 'thread' ? [0, 1, 10] : [0]) {
    const starting = failure(handle.start())
    if (wait > 0) await sleep(wait)
    await handle.stop()
    t.equal(handle.state, 'stopped')
    t.ok(isBulkheadError(await starting, 'ERR_STOPPED_WHILE_STARTING'))
    t.equal(liveThreads(), 0)
  }
  await handle.start()
  t.equal(handle.state, 'running')
  await handle.stop()
})

both('a crash from outside during start', async (t, isolation) => {
  const { handle, events } = recorded(isolation, { onStart: 'late' })
  const starting = failure(handle.start())
  await until(() => events.includes('Recorded.onStart'))
  const reason = new Error('from outside')
  const crashing = handle.crash(reason)
  t.equal(handle.state, 'crashed')
  t.equal(await starting, reason)
  await crashing
  t.equal(handle.crashReason, reason)
  t.equal(liveThreads(), 0)
})

both('restart() during start, and restarts that join', async (t, isolation) => {
  const { handle, events } = recorded(isolation)
  const starting = failure(handle.start())
  const restarting = Promise.all([handle.restart(), handle.restart()])
  t.ok(isBulkheadError(await starting, 'ERR_STOPPED_WHILE_STARTING'))
  await restarting
  t.equal(handle.state, 'running')
  t.equal(handle.restartCount, 1, 'one restart')
  t.equal(events.filter((event) => event === 'Recorded.onStarted').length, 1)
  t.equal(liveThreads(), isolation === 'thread' ? 1 : 0)
  const joined = Promise.all([handle.restart(), handle.restart(), handle.restart()])
  await joined
  t.equal(handle.restartCount, 2)
  const cut = failure(handle.restart())
  await handle.stop()
  t.ok(isBulkheadError(await cut, 'ERR_STOPPED_WHILE_STARTING'), 'a stop cuts a restart short')
  t.equal(handle.state, 'stopped')
  t.equal(liveThreads(), 0)
})

both('a restart of a service whose stop fails starts it all the same', async (t, isolation) => {
  const { handle } = recorded(isolation, { onStop: 'throw' })
  await handle.start()
  await handle.restart()
  t.equal(handle.state, 'running')
  t.equal(handle.restartCount, 1)
  await failure(handle.stop())
})

both('a restart after a crash', async (t, isolation) => {
  const { handle } = recorded(isolation)
  await handle.start()
  await handle.crash(new Error('x'))
  await handle.restart()
  t.equal(handle.state, 'running')
  t.equal((await handle.facts()).restartCount, 1)
  t.equal(handle.crashReason, undefined)
  await handle.stop()
})

both('await using stops it', async (t, isolation) => {
  const { handle } = recorded(isolation)
  await handle.start()
  await handle[Symbol.asyncDispose]()
  t.equal(handle.state, 'stopped')
})
