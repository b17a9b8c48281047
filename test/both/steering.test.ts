import { type Isolation, isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { type Script, Recorded } from '../fixtures/recorded.ts'
import { both, failure, liveThreads, quiet, until } from '../support/both.ts'

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

for (const step of ['onFirstStart', 'onStart', 'onStarted']) {
  both(`this.restart() in ${step} of a restart joins that`, async (t, isolation) => {
    const { handle, events } = recorded(isolation, { [step]: 'restart' })
    await handle.restart()
    t.equal(handle.state, 'running')
    t.equal(handle.restartCount, 1)
    t.ok(events.includes(`Recorded.${step} over`), 'it resolves for its caller')
    await handle.stop()
    t.equal(liveThreads(), 0)
  })
}
