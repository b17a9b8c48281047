import { threadId } from 'node:worker_threads'
import { type Isolation, isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { type Script, Family, Recorded } from '../fixtures/recorded.ts'
import { record } from '../support/record.ts'
import { both, failure, liveThreads, until } from '../support/both.ts'

const UP = [
  'Recorded.constructor',
  'Recorded.postInit',
  'Recorded.onInitDependencies',
  'Recorded.onFirstStart',
  '[Recorded] Starting...',
  'Recorded.onStart',
  'Recorded.task',
  '[Recorded] Started',
  'Recorded.onStarted',
]
const DOWN = [
  '[Recorded] Stopping...',
  'Recorded.onStop',
  '[Recorded] Stopped',
  'Recorded.task aborted',
  'Recorded.onShutdown',
  '[Recorded] Shutdown complete!',
]
const AGAIN = [...UP.slice(0, 2), 'Recorded.onRestart', ...UP.slice(2)]

function recorded(isolation: Isolation, script?: Script) {
  const events: string[] = []
  const handle = isolate(Recorded, { isolation, args: [(event) => void events.push(event), script] })
  return { events, handle, take: () => events.splice(0) }
}

both('the hooks and the log lines come in the order of §2, each line once', async (t, isolation) => {
  const log = record(t)
  const handle = isolate(Recorded, { isolation, args: [(event) => log.add(event)] })
  await handle.start()
  await until(() => log.events.length >= UP.length)
  t.same(log.take(), UP, 'start')
  await handle.stop()
  t.same(log.take(), DOWN, 'stop')
  await handle.start()
  await until(() => log.events.length >= UP.length)
  t.same(log.take(), UP, 'each run is a new instance: onFirstStart runs again, onRestart does not')
  await handle.restart()
  await until(() => log.events.length >= UP.length + DOWN.length + 1)
  t.same(log.take(), [...DOWN, ...AGAIN], 'a restart runs onFirstStart and onRestart in the new instance')
  await handle.stop()
  t.same(log.problems, [])
})

both('the handle goes through the states of a service', async (t, isolation) => {
  const { handle } = recorded(isolation)
  const states: string[] = []
  const unsubscribe = handle.onChange(({ state, previous }) => states.push(`${previous} > ${state}`))
  t.equal(handle.state, 'init')
  t.equal(handle.started, false)
  t.equal(handle.shouldStop, false)
  t.equal(handle.threadId, undefined)
  t.equal(handle.label, 'Recorded')
  t.equal(handle.shortLabel, 'Recorded')
  t.equal(handle.beacon.path, 'Recorded')
  t.equal(handle.beacon.data, handle)
  t.equal(handle.supervisor, undefined)
  await handle.stop()
  t.equal(handle.state, 'init', 'stop() on a service that never started does nothing')
  t.equal(await handle.maybeStart(), true)
  t.equal(await handle.maybeStart(), false)
  t.equal(handle.state, 'running')
  t.equal(handle.started, true)
  t.ok(isBulkheadError(await failure(handle.start()), 'ERR_INVALID_STATE'))
  t.equal(typeof handle.threadId, 'number')
  t.equal(handle.threadId === threadId, isolation === 'inline')
  t.equal(liveThreads(), isolation === 'inline' ? 0 : 1)
  const waiting = handle.waitUntilStopped()
  await handle.stop()
  await waiting
  t.equal(handle.state, 'stopped')
  t.equal(handle.shouldStop, true)
  t.equal(handle.started, false)
  t.equal(handle.threadId, undefined)
  t.equal(liveThreads(), 0, 'after stop() resolves, the thread is gone')
  t.same(states, ['init > starting', 'starting > running', 'running > stopping', 'stopping > stopped'])
  unsubscribe()
})

both(
  'the handle is the identity: restartCount counts, each run has a new instance and thread',
  async (t, isolation) => {
    const { handle } = recorded(isolation)
    await handle.start()
    const first = await handle.facts()
    t.equal(first.restartCount, 0)
    await handle.restart()
    await handle.restart()
    const third = await handle.facts()
    t.equal(third.restartCount, 2, 'this.restartCount tells which')
    t.equal(handle.restartCount, 2)
    t.equal(third.threadId, handle.threadId)
    if (isolation === 'thread') {
      t.not(third.threadId, first.threadId)
      t.equal(third.loads, 1, 'fresh module state')
    }
    await handle.stop()
    await handle.start()
    t.equal((await handle.facts()).restartCount, 2, 'a plain start is no restart')
    t.equal(handle.restartCount, 2)
    await handle.stop()
  },
)

both('when start() resolves the subtree shows, when it changes it changes here', async (t, isolation) => {
  const events: string[] = []
  const handle = isolate(Family, { isolation, args: [(event) => events.push(event)] })
  t.same(handle.children, [])
  await handle.start()
  t.equal(handle.state, 'running')
  t.same(
    handle.children.map(({ label, state, started, restartCount }) => ({
      label,
      state,
      started,
      restartCount,
    })),
    [
      { label: 'Child', state: 'running', started: true, restartCount: 0 },
      { label: 'Second', state: 'running', started: true, restartCount: 0 },
    ],
  )
  t.same(
    [...handle.beacon.traverse()].map(({ path }) => path),
    ['Family', 'Family/Child', 'Family/Second'],
  )
  t.equal(handle.children[0]?.beacon.parent, handle.beacon)
  t.equal(handle.children[0]?.beacon.root, handle.beacon)
  t.equal(handle.children[0]?.beacon.depth, 1)
  t.match(handle.beacon.toTree(), /Child/)
  t.equal(await handle.addLate(), 'Family/Late')
  t.equal(handle.children.length, 3, 'pushed before the result of the call')
  t.equal(handle.children[2]?.state, 'running')
  t.equal(await handle.dropLate(), 2)
  t.equal(handle.children.length, 2)
  t.same(
    events.splice(0).filter((event) => event.endsWith('.onStart')),
    ['Family.onStart', 'Child.onStart', 'Second.onStart', 'Child.onStart'],
  )
  events.length = 0
  const [child] = handle.children
  const seen: string[] = []
  child?.onChange(({ state }) => seen.push(state))
  await handle.stop()
  t.same(seen, ['stopping', 'stopped'])
  t.same(
    handle.children.map(({ state }) => state),
    ['stopped', 'stopped'],
    'children stay to be seen',
  )
  t.same(
    events.filter((event) => event.endsWith('.onStop')),
    ['Family.onStop', 'Second.onStop', 'Child.onStop'],
  )
  await handle.restart()
  await handle.restart()
  t.equal(handle.children.length, 2, 'restarts do not multiply children')
  await handle.stop()
})

both('a child that crashes takes the service along, and the reason is whole', async (t, isolation) => {
  const events: string[] = []
  const handle = isolate(Family, { isolation, args: [(event) => events.push(event)] })
  record(t, { level: 'silent' })
  await handle.start()
  await handle.crashChild().catch(() => {})
  await handle.waitUntilStopped()
  t.equal(handle.state, 'crashed')
  t.equal(handle.crashed, true)
  t.ok(handle.crashReason instanceof RangeError)
  t.equal((handle.crashReason as Error).message, 'the child crashed')
  await until(() => events.includes('Family.onShutdown'))
  await handle.stop()
  t.equal(handle.state, 'crashed', 'stop() on a crashed service waits for its teardown')
  t.same(
    handle.children.map(({ state }) => state),
    ['crashed', 'crashed'],
  )
  t.ok(handle.children[1]?.crashReason instanceof RangeError)
  t.equal(liveThreads(), 0)
  events.length = 0
  await handle.start()
  t.equal(handle.state, 'running', 'it can be started again')
  t.equal(handle.crashReason, undefined)
  await handle.stop()
})

both('crash() from outside: the hooks of the teardown run, the calls reject', async (t, isolation) => {
  const { handle, events } = recorded(isolation)
  record(t, { level: 'silent' })
  await handle.start()
  const call = failure(handle.act('late'))
  const reason = new SyntaxError('from outside')
  const crash = handle.crash(reason)
  t.equal(handle.state, 'crashed', 'marked in the same turn')
  const late = await failure(handle.facts())
  t.ok(isBulkheadError(late, 'ERR_NOT_RUNNING'), 'a call after it')
  const error = await call
  t.ok(isBulkheadError(error, 'ERR_SERVICE_CRASHED'), 'a call in flight')
  t.equal(error.cause, reason)
  await crash
  t.equal(handle.crashReason, reason)
  t.ok(events.includes('Recorded.onStop'))
  t.ok(events.includes('Recorded.onShutdown'))
  t.equal(liveThreads(), 0)
})
