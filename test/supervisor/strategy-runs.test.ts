import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { Supervisor } from '../../src/supervisor/supervisor.ts'
import { Gate, Probe, runsOf, stage, states } from './support.ts'

const boom = new Error('boom')

t.test('children start in order, stop in reverse, and know their supervisor', async (t) => {
  const { supervisor, probes, journal } = stage()
  t.ok(probes.every((probe) => probe.supervisor === supervisor))
  await supervisor.start()
  await supervisor.stop()
  t.same(journal, ['+a', '+b', '+c', '-c', '-b', '-a'])
})

t.test('one-for-one restarts the crashed child alone, at once', async (t) => {
  const { supervisor, probes, told } = stage()
  await supervisor.start()
  await probes[1]!.crash(boom)
  await settle()
  t.same(runsOf(probes), [1, 2, 1])
  t.equal(states(probes), 'a:running b:running c:running')
  t.equal(probes[1]!.restartCount, 1)
  t.same(told, ['crash b', 'restarting b', 'restarted b'])
  await supervisor.stop()
})

t.test('one-for-all stops all in reverse and starts all in order', async (t) => {
  const { supervisor, probes, journal, told } = stage({ strategy: 'one-for-all' })
  await supervisor.start()
  journal.length = 0
  await probes[1]!.crash(boom)
  await settle()
  t.same(journal.toSorted(), ['+a', '+b', '+c', '-a', '-b', '-c'])
  t.same(journal.slice(3), ['+a', '+b', '+c'])
  t.ok(journal.indexOf('-c') < journal.indexOf('-a'))
  t.same(
    probes.map(({ restartCount }) => restartCount),
    [1, 1, 1],
  )
  t.same(told, ['crash b', 'restarting b', 'restarted b'])
  await supervisor.stop()
})

t.test('rest-for-one does so for the crashed child and those after it', async (t) => {
  const { supervisor, probes, journal } = stage({ strategy: 'rest-for-one' })
  await supervisor.start()
  journal.length = 0
  await probes[1]!.crash(boom)
  await settle()
  t.same(runsOf(probes), [1, 2, 2])
  t.same(journal.slice(2), ['+b', '+c'])
  await supervisor.stop()
})

t.test('forfeit-one-for-one leaves the crashed child crashed and goes on', async (t) => {
  const { supervisor, probes, told } = stage({ strategy: 'forfeit-one-for-one' })
  await supervisor.start()
  await probes[1]!.crash(boom)
  await settle()
  t.equal(states([supervisor, ...probes]), 'top:running a:running b:crashed c:running')
  t.same(told, ['crash b', 'forfeited b'])
  await supervisor.stop()
})

t.test('forfeit-one-for-all stops the others in reverse and goes on', async (t) => {
  const { supervisor, probes, journal, told } = stage({ strategy: 'forfeit-one-for-all' })
  await supervisor.start()
  await probes[1]!.crash(boom)
  await settle()
  t.equal(states([supervisor, ...probes]), 'top:running a:stopped b:crashed c:stopped')
  t.ok(journal.indexOf('-c') < journal.indexOf('-a'))
  t.same(told, ['crash b', 'forfeited b'])
  await supervisor.restart()
  t.equal(states(probes), 'a:running b:running c:running', 'a restart of the supervisor brings them back')
  await supervisor.stop()
})

t.test('crash passes the very reason up, in the same turn', async (t) => {
  const { supervisor, probes } = stage({ strategy: 'crash' })
  await supervisor.start()
  const crashing = probes[1]!.crash(boom)
  t.equal(states([supervisor, ...probes]), 'top:crashed a:crashed b:crashed c:crashed')
  t.equal(supervisor.crashReason, boom)
  await crashing
  await supervisor.stop()
  t.ok(probes.every((probe) => probe.live === 0))
})

t.test("a child that fails in the supervisor's own start fails that start, without a retry", async (t) => {
  const { supervisor, probes, told } = stage()
  probes[1]!.starting = () => {
    throw boom
  }
  await t.rejects(supervisor.start(), { code: 'ERR_START_FAILED', service: 'top/b', cause: boom })
  await settle()
  t.same(runsOf(probes), [1, 1, 0])
  t.same(told, [])
  t.equal(states([supervisor, probes[0]!]), 'top:crashed a:stopped')
})

t.test(
  'a child that crashes while a later one is still in its first start is restarted at once',
  async (t) => {
    const { supervisor, probes } = stage()
    const gate = new Gate()
    probes[2]!.starting = () => gate.opened
    const starting = supervisor.start()
    await settle()
    await probes[0]!.crash(boom)
    await settle()
    t.equal(states([supervisor, ...probes]), 'top:starting a:running b:running c:starting')
    gate.open()
    await starting
    t.same(runsOf(probes), [2, 1, 1])
    await supervisor.stop()
  },
)

t.test("so is one whose restart by someone else fails during the supervisor's start", async (t) => {
  const { supervisor, probes } = stage()
  const gate = new Gate()
  probes[2]!.starting = () => gate.opened
  const starting = supervisor.start()
  await settle()
  probes[0]!.starting = (run) => {
    if (run === 2) throw boom
  }
  await t.rejects(probes[0]!.restart(), boom)
  await settle()
  t.equal(probes[0]!.state, 'running')
  gate.open()
  await starting
  await supervisor.stop()
})

t.test('a strategy for several children waits for the start of the supervisor to be over', async (t) => {
  const { supervisor, probes } = stage({ strategy: 'one-for-all' })
  const gate = new Gate()
  probes[2]!.starting = (run) => (run === 1 ? gate.opened : undefined)
  const starting = supervisor.start()
  await settle()
  await probes[0]!.crash(boom)
  await settle()
  t.same(runsOf(probes), [1, 1, 1])
  gate.open()
  await starting
  await settle()
  t.same(runsOf(probes), [2, 2, 2])
  t.equal(states([supervisor, ...probes]), 'top:running a:running b:running c:running')
  await supervisor.stop()
})

t.test('a crash deep in the subtree of a child restarts that child with all below it', async (t) => {
  const { supervisor, probes, told, journal } = stage()
  const below = new Probe('below', journal)
  const deepest = new Probe('deepest', journal)
  probes[1]!.addDependency(below)
  below.addDependency(deepest)
  await supervisor.start()
  await deepest.crash(boom)
  await settle()
  t.same(runsOf([...probes, below, deepest]), [1, 2, 1, 2, 2])
  t.same(told, ['crash b', 'restarting b', 'restarted b'])
  t.equal(deepest.restartCount, 0, 'for those below it is a plain start')
  t.equal(deepest.state, 'running')
  await supervisor.stop()
})

t.test('a crash out of the own task of a child restarts it, as work of nobody', async (t) => {
  const { supervisor, probes } = stage({ strategy: 'one-for-all' })
  const fail = new Gate()
  probes[1]!.addTask('fails once', async () => {
    if (probes[1]!.runs > 1) return
    await fail.opened
    throw boom
  })
  probes[1]!.stopping = () => new Promise((resolve) => setTimeout(resolve, 5))
  await supervisor.start()
  fail.open()
  await settle()
  while (probes.some((probe) => probe.runs < 2 || probe.state !== 'running')) await settle()
  t.notOk(probes.some((probe) => probe.overlapped))
  await supervisor.stop()
})

t.test('hooks of a subclass need not call super', async (t) => {
  const hooks: string[] = []
  class Own extends Supervisor {
    protected override onStart(): void {
      hooks.push('onStart')
    }
    protected override onStarted(): void {
      hooks.push('onStarted')
    }
    protected override onStop(): void {
      hooks.push('onStop')
    }
  }
  const probe = new Probe('a')
  const own = new Own([probe])
  await own.start()
  await probe.crash(boom)
  await settle()
  t.equal(probe.state, 'running')
  t.same(own.pendingWork(), [], 'supervising is no work of the author')
  await own.stop()
  t.same(hooks, ['onStart', 'onStarted', 'onStop'])
})
