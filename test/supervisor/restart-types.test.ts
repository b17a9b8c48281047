import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { Gate, runsOf, stage, states } from './support.ts'
import type { RestartType, Strategy } from '../../src/supervisor/supervisor.ts'

const boom = new Error('boom')

const oneOfEach = (strategy: Strategy = 'one-for-one') =>
  stage({
    strategy,
    backoff: false,
    labels: ['permanent', 'transient', 'temporary'],
    specs: (probes) => probes.map((service) => ({ service, restart: service.label as RestartType })),
  })

t.test('after a crash: permanent and transient children are restarted, temporary ones never', async (t) => {
  const { supervisor, probes, told } = oneOfEach()
  await supervisor.start()
  for (const probe of probes) {
    await probe.crash(boom)
    await settle()
  }
  t.same(runsOf(probes), [2, 2, 1])
  t.equal(states([supervisor, probes[2]!]), 'top:running temporary:crashed')
  t.same(told.slice(-2), ['crash temporary', 'forfeited temporary'])
  await supervisor.stop()
})

t.test('after a stop by someone else: permanent children alone are restarted', async (t) => {
  const { supervisor, probes, told, events } = oneOfEach()
  await supervisor.start()
  for (const probe of probes) {
    await probe.stop()
    await settle()
  }
  t.same(runsOf(probes), [2, 1, 1])
  t.equal(states(probes), 'permanent:running transient:stopped temporary:stopped')
  t.same(told, ['restarting permanent', 'restarted permanent'], 'there was no crash')
  t.notOk('reason' in events[0]!)
  t.equal(events[0]!.restarts, 1, 'but it spends a restart')
  await supervisor.stop()
})

t.test('a temporary child costs nothing, whatever the strategy', async (t) => {
  for (const strategy of ['one-for-all', 'rest-for-one', 'crash', 'forfeit-one-for-all'] as const) {
    const { supervisor, probes, events } = oneOfEach(strategy)
    await supervisor.start()
    await probes[2]!.crash(boom)
    await settle()
    t.equal(
      states([supervisor, ...probes]),
      'top:running permanent:running transient:running temporary:crashed',
      strategy,
    )
    t.equal(events.at(-1)!.restarts, 0)
    await supervisor.stop()
  }
})

t.test('one-for-all restarts a running transient sibling, but no temporary one', async (t) => {
  const { supervisor, probes } = oneOfEach('one-for-all')
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(states(probes), 'permanent:running transient:running temporary:stopped')
  await supervisor.stop()
})

t.test('one-for-all leaves a transient sibling at rest that had ended before', async (t) => {
  const { supervisor, probes } = oneOfEach('one-for-all')
  await supervisor.start()
  await probes[1]!.stop()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(states(probes), 'permanent:running transient:stopped temporary:stopped')
  await supervisor.stop()
})

t.test(
  'a transient child that crashes in a stop of its own is restarted, also in the middle of a plan',
  async (t) => {
    const { supervisor, probes, events } = oneOfEach('one-for-all')
    const gate = new Gate()
    probes[1]!.stopping = (run) => (run === 1 ? gate.opened : undefined)
    await supervisor.start()
    void probes[1]!.stop()
    await settle()
    void probes[0]!.crash(boom)
    await settle()
    void probes[1]!.crash(boom)
    gate.open()
    await settle()
    t.equal(states(probes), 'permanent:running transient:running temporary:stopped')
    t.equal(events.at(-1)!.restarts, 1)
    await supervisor.stop()
  },
)

t.test('a restart by someone else is no fall; if its start fails, it is', async (t) => {
  const { supervisor, probes, told } = stage({ backoff: false })
  await supervisor.start()
  await probes[0]!.restart()
  await settle()
  t.same(told, [])
  t.same(runsOf(probes), [2, 1, 1])

  probes[0]!.starting = (run) => {
    if (run === 3) throw boom
  }
  await t.rejects(probes[0]!.restart(), boom)
  await settle()
  t.same(told, ['crash a', 'restarting a', 'restarted a'])
  await supervisor.stop()
})

t.test("a stop() in the middle of somebody's restart is a stop", async (t) => {
  const { supervisor, probes } = stage({ backoff: false })
  const gate = new Gate()
  probes[0]!.stopping = (run) => (run === 1 ? gate.opened : undefined)
  await supervisor.start()
  const restarting = probes[0]!.restart()
  restarting.catch(() => {})
  const stopping = probes[0]!.stop()
  gate.open()
  await stopping
  await t.rejects(restarting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  await settle()
  t.equal(probes[0]!.state, 'running', 'so a permanent child is restarted')
  t.equal(probes[0]!.runs, 2)
  await supervisor.stop()
})

t.test('so is one that arrives between the two halves of the restart', async (t) => {
  const { supervisor, probes } = stage({ backoff: false })
  await supervisor.start()
  let once = true
  probes[0]!.onChange(({ state }) => {
    if (state !== 'stopped' || !once) return
    once = false
    void probes[0]!.stop()
  })
  await t.rejects(probes[0]!.restart(), { code: 'ERR_STOPPED_WHILE_STARTING' })
  await settle()
  t.equal(probes[0]!.state, 'running')
  t.equal(probes[0]!.runs, 2)
  await supervisor.stop()
})

t.test("a plan takes over somebody's restart of a sibling", async (t) => {
  const { supervisor, probes } = stage({ strategy: 'one-for-all' })
  const gate = new Gate()
  probes[2]!.stopping = (run) => (run === 1 ? gate.opened : undefined)
  await supervisor.start()
  const restarting = probes[2]!.restart()
  restarting.catch(() => {})
  await settle()
  await probes[0]!.crash(boom)
  gate.open()
  await t.rejects(restarting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  await settle()
  t.equal(states(probes), 'a:running b:running c:running')
  t.same(runsOf(probes), [2, 2, 2])
  await supervisor.stop()
})

t.test("somebody's stop that is under way when a restart is due is joined, within stopTimeout", async (t) => {
  const { supervisor, probes, clock } = stage({
    specs: (probes) => probes.map((service) => ({ service, stopTimeout: '1s' })),
  })
  await supervisor.start()
  for (let n = 0; n < 2; n++) {
    await probes[0]!.crash(boom)
    await settle()
  }
  probes[0]!.starting = () => new Promise(() => {})
  probes[0]!.start().catch(() => {})
  await settle()
  probes[0]!.stop().catch(() => {})
  t.equal(probes[0]!.state, 'stopping')
  await clock.advance(100 + 999)
  t.equal(supervisor.state, 'running')
  await clock.advance(1)
  t.equal(supervisor.state, 'crashed')
  t.match(supervisor.crashReason, { code: 'ERR_STOP_TIMEOUT', phase: 'onStart' })
  t.equal(probes[0]!.runs, 3)
})

t.test('a permanent child stopped while it restarts is restarted, a transient one is left', async (t) => {
  const { supervisor, probes } = oneOfEach()
  for (const [index, state] of [
    [0, 'running'],
    [1, 'stopped'],
  ] as const) {
    const probe = probes[index]!
    const gate = new Gate()
    probe.starting = (run) => (run === 2 ? gate.opened : undefined)
    if (supervisor.state === 'init') await supervisor.start()
    await probe.crash(boom)
    await settle()
    t.equal(probe.state, 'starting')
    const stopping = probe.stop()
    gate.open()
    await stopping
    await settle()
    t.equal(probe.state, state)
    t.notOk(probe.overlapped)
  }
  await supervisor.stop()
})

t.test('a stop of a child is nothing to forfeit or to pass up', async (t) => {
  for (const strategy of ['crash', 'forfeit-one-for-one', 'forfeit-one-for-all'] as const) {
    const { supervisor, probes, told } = stage({ strategy })
    await supervisor.start()
    await probes[0]!.stop()
    await settle()
    t.equal(states([supervisor, ...probes]), 'top:running a:stopped b:running c:running', strategy)
    t.same(told, [])
    await supervisor.stop()
  }
})

t.test('a child that someone starts during its back-off is up, and that is that', async (t) => {
  const { supervisor, probes, clock } = stage()
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  await probes[0]!.crash(boom)
  await settle()
  await probes[0]!.start()
  await settle()
  t.equal(clock.pending, 0)
  await clock.advance(1000)
  t.equal(probes[0]!.runs, 3)
  t.notOk(probes[0]!.overlapped)
  await supervisor.stop()
})
