import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { NODE } from '../../src/service/node.ts'
import { Supervisor } from '../../src/supervisor/supervisor.ts'
import { Gate, Probe, runsOf, stage, states } from './support.ts'

const boom = new Error('boom')

t.test('more than maxRestarts within `over`: children stopped in reverse, then it crashes', async (t) => {
  const { supervisor, probes, told, journal, events } = stage({ maxRestarts: 2, backoff: false })
  await supervisor.start()
  for (let n = 0; n < 3; n++) {
    journal.length = 0
    await probes[0]!.crash(boom)
    await settle()
  }
  t.equal(states([supervisor, ...probes]), 'top:crashed a:crashed b:stopped c:stopped')
  t.match(supervisor.crashReason, { code: 'ERR_MAX_RESTARTS', service: 'top', cause: boom })
  t.ok(journal.indexOf('-c') < journal.indexOf('-b'))
  t.same(told.slice(-2), ['crash a', 'gave-up a'])
  t.equal(events.at(-1)!.reason, supervisor.crashReason)
  t.equal(events.at(-1)!.restarts, 2)
  t.same(runsOf(probes), [3, 1, 1])
})

t.test('maxRestarts 0: the first crash is one too many', async (t) => {
  const { supervisor, probes, told } = stage({ maxRestarts: 0 })
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(supervisor.state, 'crashed')
  t.same(told, ['crash a', 'gave-up a'])
})

t.test('the window slides', async (t) => {
  const { supervisor, probes, clock } = stage({ maxRestarts: 2, over: '1s', backoff: false })
  await supervisor.start()
  for (let n = 0; n < 20; n++) {
    await probes[0]!.crash(boom)
    await clock.advance(500)
  }
  t.equal(supervisor.state, 'running')
  t.equal(probes[0]!.runs, 21)
  await probes[0]!.crash(boom)
  await settle()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(supervisor.state, 'crashed')
})

t.test('the window is empty, and the back-off forgotten, after the supervisor itself restarts', async (t) => {
  const { supervisor, probes, events } = stage({ maxRestarts: 1 })
  await supervisor.start()
  for (let n = 0; n < 3; n++) {
    await probes[0]!.crash(boom)
    await settle()
    t.equal(events.at(-1)!.type, 'restarted')
    t.equal(events.at(-1)!.restarts, 1)
    await supervisor.restart()
  }
  await supervisor.stop()
})

t.test('failed restarts use the window up too', async (t) => {
  const { supervisor, probes, clock } = stage({ maxRestarts: 3 })
  probes[0]!.starting = (run) => {
    if (run > 1) throw new Error(`start ${run}`)
  }
  await supervisor.start()
  await probes[0]!.crash(boom)
  await clock.advance(5000)
  t.match(supervisor.crashReason, { code: 'ERR_MAX_RESTARTS', cause: { message: 'start 4' } })
  t.equal(probes[0]!.runs, 4)
})

t.test('a supervisor that gives up is restarted by its own', async (t) => {
  const { supervisor: inner, probes, told, clock } = stage({ maxRestarts: 1, backoff: false })
  const sibling = new Probe('sibling')
  const outer = new Supervisor([inner, sibling], { label: 'outer', backoff: false })
  outer[NODE].clock = clock
  const above: string[] = []
  outer.on((event) => above.push(`${event.type} ${event.path}`))
  await outer.start()
  await probes[0]!.crash(boom)
  await settle()
  t.same(above, [], 'as long as the inner one copes, the outer one hears nothing')
  await probes[0]!.crash(boom)
  await settle()
  t.same(above, ['crash outer/top', 'restarting outer/top', 'restarted outer/top'])
  t.equal(states([outer, inner, ...probes]), 'outer:running top:running a:running b:running c:running')
  t.equal(sibling.runs, 1)
  t.equal(inner.restartCount, 1)
  told.length = 0
  await probes[1]!.crash(boom)
  await settle()
  t.same(told, ['crash b', 'restarting b', 'restarted b'], 'with a window of its own again')
  await outer.stop()
})

t.test('the crash strategy inside a restarting one: the very reason arrives', async (t) => {
  const { supervisor: inner, probes } = stage({ strategy: 'crash' })
  const outer = new Supervisor([inner], { label: 'outer' })
  const reasons: unknown[] = []
  outer.on((event) => reasons.push(event.reason))
  await outer.start()
  await probes[2]!.crash(boom)
  await settle()
  t.ok(reasons.every((reason) => reason === boom))
  t.equal(states([outer, inner, ...probes]), 'outer:running top:running a:running b:running c:running')
  await outer.stop()
})

t.test('a supervisor that is marked by a crash above does nothing about its children', async (t) => {
  const { supervisor, probes, told } = stage()
  const root = new Probe('root')
  root.addDependency(supervisor)
  await root.start()
  await root.crash(boom)
  await settle()
  t.same(told, [])
  t.equal(states([root, supervisor, ...probes]), 'root:crashed top:crashed a:crashed b:crashed c:crashed')
  t.ok(probes.every(({ live }) => live === 0))
})

t.test('an unsupervised parent goes down with a supervisor that gives up', async (t) => {
  const { supervisor } = stage({ maxRestarts: 0 })
  const root = new Probe('root')
  root.addDependency(supervisor)
  await root.start()
  const [a] = supervisor.children as Probe[]
  await a!.crash(boom)
  await settle()
  t.equal(states([root, supervisor]), 'root:crashed top:crashed')
  t.equal(root.crashReason, supervisor.crashReason)
})

t.test('stop() while it gives up: it ends stopped', async (t) => {
  const { supervisor, probes } = stage({ maxRestarts: 0 })
  const gate = new Gate()
  probes[2]!.stopping = () => gate.opened
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(states([supervisor, ...probes]), 'top:running a:crashed b:running c:stopping')
  const stopping = supervisor.stop()
  gate.open()
  await stopping
  await settle()
  t.equal(supervisor.state, 'stopped')
})

t.test('giving up during its own start fails that start', async (t) => {
  const { supervisor, probes } = stage({ maxRestarts: 0 })
  const gate = new Gate()
  probes[2]!.starting = () => gate.opened
  const starting = supervisor.start()
  starting.catch(() => {})
  await settle()
  void probes[0]!.crash(boom)
  gate.open()
  await t.rejects(starting, { code: 'ERR_MAX_RESTARTS', cause: boom })
  t.ok(probes.every(({ live }) => live === 0))
})

t.test('what is stopped by its parent while it repairs can be started again', async (t) => {
  const { supervisor, probes } = stage()
  const gate = new Gate()
  probes[0]!.starting = (run) => (run === 2 ? gate.opened : undefined)
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  const restarting = supervisor.restart()
  gate.open()
  await restarting
  t.equal(states(probes), 'a:running b:running c:running')
  t.notOk(probes.some((probe) => probe.overlapped))
  await supervisor.stop()
})
