import { type Isolation, isBulkheadError, isolate } from '../../src/index.ts'
import { type Script, Recorded } from '../fixtures/recorded.ts'
import { both, failure, liveThreads, quiet, sleep, until } from '../support/both.ts'

quiet()

function recorded(isolation: Isolation, script?: Script) {
  const events: string[] = []
  const handle = isolate(Recorded, { isolation, args: [(event) => void events.push(event), script] })
  return { events, handle }
}

both('this.stop() in a call acts on the handle, and the call is answered', async (t, isolation) => {
  const { handle, events } = recorded(isolation)
  await handle.start()
  t.equal(await handle.act('stop'), 'stop: stopping')
  await handle.waitUntilStopped()
  await handle.stop()
  t.equal(handle.state, 'stopped')
  t.ok(events.includes('Recorded.onShutdown'))
  t.equal(liveThreads(), 0)
})

both('this.restart() in a call acts on the handle: a new instance, the same handle', async (t, isolation) => {
  const { handle, events } = recorded(isolation)
  await handle.start()
  const before = await handle.facts()
  t.match(await handle.act('restart'), /^restart: /)
  await until(() => handle.restartCount === 1 && handle.state === 'running')
  const after = await handle.facts()
  t.equal(after.restartCount, 1)
  t.equal(before.restartCount, 0)
  if (isolation === 'thread') t.not(after.threadId, before.threadId)
  t.ok(events.includes('Recorded.onRestart'))
  t.equal(liveThreads(), isolation === 'thread' ? 1 : 0, 'no second live run')
  await handle.stop()
})

both('this.crash() in a call crashes the handle with that reason', async (t, isolation) => {
  const { handle, events } = recorded(isolation)
  await handle.start()
  const error = await failure(handle.act('crash'))
  t.ok(isBulkheadError(error, 'ERR_SERVICE_CRASHED'), String(error))
  t.equal((error.cause as Error).message, 'crashed by a call')
  await handle.waitUntilStopped()
  t.equal(handle.state, 'crashed')
  t.ok(handle.crashReason instanceof TypeError)
  await handle.stop()
  t.ok(events.includes('Recorded.onShutdown'))
  t.equal(liveThreads(), 0)
})

both('stop, restart and crash in a future', async (t, isolation) => {
  const { handle } = recorded(isolation)
  await handle.start()
  await handle.later('restart')
  await until(() => handle.restartCount === 1 && handle.state === 'running')
  await handle.later('stop')
  await until(() => handle.state === 'stopped')
  await handle.start()
  await handle.later('crash')
  await until(() => handle.state === 'crashed')
  t.equal((handle.crashReason as Error).message, 'crashed by a future')
  await handle.stop()
  t.equal(liveThreads(), 0)
})

for (const step of ['onFirstStart', 'onStart', 'onStarted', 'task']) {
  both(`this.stop() in ${step}: start() rejects with ERR_STOPPED_WHILE_STARTING`, async (t, isolation) => {
    const { handle, events } = recorded(isolation, { [step]: 'stop' })
    const error = await failure(handle.start())
    t.ok(isBulkheadError(error, 'ERR_STOPPED_WHILE_STARTING'), String(error))
    t.equal(handle.state, 'stopped')
    t.ok(events.includes(`Recorded.${step} over`), 'it resolves for its caller')
    t.equal(liveThreads(), 0)
  })
  both(`this.crash() in ${step}: start() rejects with the reason`, async (t, isolation) => {
    const { handle } = recorded(isolation, { [step]: 'crash' })
    const error = await failure(handle.start())
    t.ok(error instanceof TypeError, String(error))
    t.equal(error.message, `${step} crashed`)
    t.equal(handle.state, 'crashed')
    t.equal(handle.crashReason, error)
    await handle.stop()
    t.equal(liveThreads(), 0)
  })
}

for (const step of ['onStop', 'onShutdown']) {
  both(`this.stop() and this.crash() in ${step} do not lock up`, async (t, isolation) => {
    const stopping = recorded(isolation, { [step]: 'stop' })
    await stopping.handle.start()
    await stopping.handle.stop()
    t.equal(stopping.handle.state, 'stopped')
    const crashing = recorded(isolation, { [step]: 'crash' })
    await crashing.handle.start()
    await crashing.handle.stop()
    t.equal(crashing.handle.state, 'crashed', 'a crash during a stop: it ends crashed')
    t.equal((crashing.handle.crashReason as Error).message, `${step} crashed`)
    t.equal(liveThreads(), 0)
  })
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
