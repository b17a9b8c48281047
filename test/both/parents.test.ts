import { type Isolation, isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { type Script, Recorded } from '../fixtures/recorded.ts'
import { both, failure, liveThreads, quiet, until } from '../support/both.ts'
import { FakeSupervisor, Parent } from '../support/parents.ts'

quiet()

function child(isolation: Isolation, label: string, events: string[], script: Script = {}) {
  const tell = (event: string): void => void events.push(event.replace('Recorded', label))
  return isolate(Recorded, { isolation, label, args: [tell, script] })
}

both('a handle is a dependency like any: order of start and stop', async (t, isolation) => {
  const events: string[] = []
  const [a, b] = [child(isolation, 'A', events), child(isolation, 'B', events)]
  const parent = new Parent([a, b], (event) => events.push(event))
  await parent.start()
  t.same(
    events.splice(0).filter((event) => /onStart/.test(event)),
    ['Parent.onStart', 'A.onStart', 'A.onStarted', 'B.onStart', 'B.onStarted', 'Parent.onStarted'],
  )
  t.same(parent.children, [a, b])
  t.equal(a.beacon.path, 'Parent/A')
  t.equal((await a.facts()).path, 'Parent/A', 'it knows where it stands')
  t.equal((await a.facts()).label, 'A', 'and the label of its handle')
  await parent.stop()
  t.same(
    events.splice(0).filter((event) => /onStop|onShut/.test(event)),
    ['Parent.onStop', 'B.onStop', 'B.onShutdown', 'A.onStop', 'A.onShutdown', 'Parent.onShutdown'],
  )
  t.equal(a.state, 'stopped')
  await parent.restart()
  t.equal(a.state, 'running')
  t.equal(a.restartCount, 0, 'a plain start for the children of a restarted parent')
  t.notOk(events.includes('A.onRestart'))
  await parent.stop()
  t.equal(liveThreads(), 0)
})

both('added at run time, and removed', async (t, isolation) => {
  const events: string[] = []
  const parent = new Parent([])
  await parent.start()
  const handle = child(isolation, 'Late', events)
  t.equal(await parent.addRuntimeDependency(handle), handle)
  t.equal(handle.state, 'running')
  t.throws(() => new Parent([handle]), { code: 'ERR_HAS_PARENT' })
  await parent.removeDependency(handle)
  t.equal(handle.state, 'stopped')
  t.same(parent.children, [])
  t.equal(liveThreads(), 0)
  await parent.stop()
})

both('calls made while a parent that has yet to start it is starting wait for that', async (t, isolation) => {
  const events: string[] = []
  const slow = child(isolation, 'Slow', events, { onStart: 'late' })
  const later = child(isolation, 'Later', events)
  const parent = new Parent([new Parent([slow, later], () => {}, 'Middle')])
  const early = await failure(later.facts())
  t.ok(isBulkheadError(early, 'ERR_NOT_RUNNING'), 'nothing is starting')
  const starting = parent.start()
  const call = later.facts()
  t.equal((await call).path, 'Parent/Middle/Later')
  await starting
  await parent.stop()

  const broken = child(isolation, 'Broken', events, { onStart: 'throw' })
  const never = child(isolation, 'Never', events)
  const failing = new Parent([broken, never])
  const start = failure(failing.start())
  const refused = await failure(never.facts())
  t.ok(isBulkheadError(refused), String(refused))
  await start
  t.equal(never.state, 'init')
  t.equal(liveThreads(), 0)
})

both('such a call waits startTimeout at most', async (t, isolation) => {
  const never = isolate(Recorded, { isolation, startTimeout: 100, args: [() => {}] })
  const parent = new Parent([child('inline', 'Slow', [], { onStart: 'hang' }), never])
  const starting = failure(parent.start())
  const from = Date.now()
  t.ok(isBulkheadError(await failure(never.facts()), 'ERR_NOT_RUNNING'))
  t.ok(Date.now() - from >= 95)
  const late = await failure(never.with({ timeout: 20 }).facts())
  t.ok(isBulkheadError(late, 'ERR_CALL_TIMEOUT'))
  const reason = new Error('mine')
  t.equal(await failure(never.with({ signal: AbortSignal.abort(reason) }).facts()), reason)
  await parent.stop({ timeout: 50 }).catch(() => {})
  await starting
})

both('a crash goes up and down, with one reason object', async (t, isolation) => {
  const events: string[] = []
  const [a, b] = [child(isolation, 'A', events), child(isolation, 'B', events)]
  const parent = new Parent([a, b], (event) => events.push(event))
  await parent.start()
  events.length = 0
  await a.later('throw')
  await parent.waitUntilStopped()
  t.same([parent.state, a.state, b.state], ['crashed', 'crashed', 'crashed'])
  t.equal(parent.crashReason, a.crashReason)
  t.equal(b.crashReason, a.crashReason)
  t.ok(isBulkheadError(await failure(b.facts()), 'ERR_NOT_RUNNING'), 'its calls reject at once')
  await parent.stop()
  t.same(
    events.filter((event) => /onStop|onShut/.test(event)),
    ['A.onStop', 'A.onShutdown', 'Parent.onStop', 'B.onStop', 'B.onShutdown', 'Parent.onShutdown'],
    'in stop order, from where it began upwards',
  )
  t.equal(liveThreads(), 0)
  events.length = 0
  await parent.start()
  const reason = new TypeError('from above')
  const crash = parent.crash(reason)
  t.same([parent.state, a.state, b.state], ['crashed', 'crashed', 'crashed'], 'in the same turn')
  t.equal(a.crashReason, reason)
  await crash
  t.same(
    events.filter((event) => /onStop|onShut/.test(event)),
    ['Parent.onStop', 'B.onStop', 'B.onShutdown', 'A.onStop', 'A.onShutdown', 'Parent.onShutdown'],
  )
  t.equal(liveThreads(), 0)
})

both('a failed start of a child: ERR_START_FAILED, and nothing runs', async (t, isolation) => {
  const events: string[] = []
  const [a, b, c] = [
    child(isolation, 'A', events),
    child(isolation, 'B', events, { onStart: 'throw' }),
    child(isolation, 'C', events),
  ]
  const parent = new Parent([a, b, c], (event) => events.push(event))
  const error = await failure(parent.start())
  t.ok(isBulkheadError(error, 'ERR_START_FAILED'))
  t.equal(error.service, 'Parent/B')
  t.ok(error.cause instanceof TypeError)
  t.same([parent.state, a.state, b.state, c.state].slice(2), ['crashed', 'init'])
  t.notOk(a.started)
  t.ok(events.includes('A.onShutdown'))
  t.notOk(events.includes('B.onStop'))
  t.ok(events.includes('Parent.onShutdown'))
  t.equal(liveThreads(), 0)
})

both('a task that fails during start crashes what is above it, too', async (t, isolation) => {
  const reasons: unknown[] = []
  const bad = child(isolation, 'Bad', [], { task: 'throw', onStarted: 'hang' })
  const parent = new Parent([bad])
  parent.onChange(({ state, reason }) => state === 'crashed' && reasons.push(reason))
  const error = await failure(parent.start())
  t.ok(error instanceof TypeError, String(error))
  t.same(reasons, [error])
  t.equal(bad.crashReason, error)
  t.equal(bad.state, 'crashed')
  t.equal(liveThreads(), 0)
})

both('a stop of the parent while a child starts', async (t, isolation) => {
  const events: string[] = []
  const [a, b] = [child(isolation, 'A', events, { onStart: 'late' }), child(isolation, 'B', events)]
  const parent = new Parent([a, b])
  const starting = failure(parent.start())
  await until(() => events.includes('A.onStart'))
  await parent.stop()
  t.ok(isBulkheadError(await starting, 'ERR_STOPPED_WHILE_STARTING'))
  t.equal(a.state, 'stopped')
  t.equal(b.state, 'init')
  t.notOk(events.includes('A.onStarted'))
  t.equal(liveThreads(), 0)
})

both('a supervised handle: its crash does not go up, and it can be restarted', async (t, isolation) => {
  const events: string[] = []
  const supervisor = new FakeSupervisor([])
  const handle = child(isolation, 'Child', events)
  supervisor.add(handle)
  t.equal(handle.supervisor, supervisor)
  await supervisor.start()
  await handle.later('throw')
  await handle.waitUntilStopped()
  t.equal(handle.state, 'crashed')
  t.equal(supervisor.state, 'running')
  t.equal(supervisor.crashes.length, 1)
  t.equal(supervisor.crashes[0], handle.crashReason)
  await handle.restart()
  t.equal(handle.state, 'running')
  t.equal(handle.restartCount, 1)
  t.equal((await handle.facts()).restartCount, 1)
  t.ok(events.includes('Child.onRestart'))
  await supervisor.stop()
  t.equal(handle.state, 'stopped')
  t.equal(liveThreads(), 0)
})
