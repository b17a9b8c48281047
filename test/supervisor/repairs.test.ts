import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { Gate, runsOf, stage, states } from './support.ts'

const boom = new Error('boom')
const failing = (...runs: number[]) => {
  return (run: number): void => {
    if (runs.includes(run)) throw new Error(`start ${run} fails`)
  }
}

t.test('one crash spends one restart, however many children it restarts', async (t) => {
  const { supervisor, probes, events } = stage({ strategy: 'one-for-all' })
  await supervisor.start()
  await probes[1]!.crash(boom)
  await settle()
  t.same(
    events.map(({ restarts }) => restarts),
    [1, 1, 1],
  )
  await supervisor.stop()
})

t.test('two children that crash together cost one restart in one-for-all, two in one-for-one', async (t) => {
  const all = stage({ strategy: 'one-for-all' })
  await all.supervisor.start()
  void all.probes[0]!.crash(boom)
  void all.probes[2]!.crash(new Error('too'))
  await settle()
  t.same(runsOf(all.probes), [2, 2, 2])
  t.same(all.told, ['crash a', 'crash c', 'restarting a', 'restarted a'])
  t.equal(all.events.at(-1)!.restarts, 1)
  await all.supervisor.stop()

  const one = stage({ backoff: false })
  await one.supervisor.start()
  void one.probes[0]!.crash(boom)
  void one.probes[2]!.crash(new Error('too'))
  await settle()
  t.same(runsOf(one.probes), [2, 1, 2])
  t.equal(one.events.at(-1)!.restarts, 2)
  await one.supervisor.stop()
})

t.test('a child that crashes while it is stopped for a plan costs nothing more', async (t) => {
  const { supervisor, probes, events } = stage({ strategy: 'one-for-all' })
  const gate = new Gate()
  probes[2]!.stopping = (run) => (run === 1 ? gate.opened : undefined)
  await supervisor.start()
  void probes[0]!.crash(boom)
  await settle()
  t.equal(probes[2]!.state, 'stopping')
  void probes[2]!.crash(new Error('while stopping'))
  gate.open()
  await settle()
  t.equal(states(probes), 'a:running b:running c:running')
  t.same(runsOf(probes), [2, 2, 2])
  t.equal(events.at(-1)!.restarts, 1)
  await supervisor.stop()
})

t.test('later restarts wait, doubling; back to immediate after a quiet time', async (t) => {
  const { supervisor, probes, clock, events } = stage({ maxRestarts: 10 })
  await supervisor.start()
  for (const wait of [0, 100, 200, 400]) {
    await probes[0]!.crash(boom)
    await settle()
    if (wait > 0) {
      t.equal(events.at(-1)!.type, 'backoff')
      t.match(events.at(-1), { delayMs: wait, reason: boom, at: clock.wallTime() })
      await clock.advance(wait - 1)
      t.equal(probes[0]!.state, 'crashed')
      await clock.advance(1)
    }
    t.equal(probes[0]!.state, 'running', `after ${wait} ms`)
  }
  await clock.advance(10_000)
  await probes[0]!.crash(boom)
  await settle()
  t.equal(probes[0]!.state, 'running')
  t.same(events.filter(({ type }) => type === 'backoff').length, 3)
  await supervisor.stop()
})

t.test('stop() during a back-off returns at once and leaves no timer', async (t) => {
  for (const strategy of ['one-for-one', 'one-for-all'] as const) {
    const { supervisor, probes, clock } = stage({ strategy })
    await supervisor.start()
    await probes[0]!.crash(boom)
    await settle()
    await probes[0]!.crash(boom)
    await settle()
    t.equal(clock.pending, 1)
    await supervisor.stop()
    t.equal(supervisor.state, 'stopped')
    t.equal(clock.pending, 0)
    await clock.advance(60_000)
    t.equal(probes[0]!.runs, 2)
  }
})

t.test('stop() while a child is starting again waits for its hook and starts nothing more', async (t) => {
  const { supervisor, probes } = stage({ strategy: 'one-for-all' })
  const gate = new Gate()
  probes[1]!.starting = (run) => (run === 2 ? gate.opened : undefined)
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(states(probes), 'a:running b:starting c:stopped')
  const stopping = supervisor.stop()
  await settle()
  gate.open()
  await stopping
  await settle()
  t.equal(states([supervisor, ...probes]), 'top:stopped a:stopped b:stopped c:stopped')
  t.same(runsOf(probes), [2, 2, 1])
})

t.test('a restart that fails spends one more and is tried again', async (t) => {
  const { supervisor, probes, told, events, clock } = stage()
  probes[0]!.starting = failing(2, 3)
  await supervisor.start()
  await probes[0]!.crash(boom)
  await clock.advance(300)
  t.equal(probes[0]!.state, 'running')
  t.same(told, [
    'crash a',
    'restarting a',
    'restart-failed a',
    'backoff a',
    'restarting a',
    'restart-failed a',
    'backoff a',
    'restarting a',
    'restarted a',
  ])
  t.equal(events.at(-1)!.restarts, 3)
  t.match(events[2]!.reason, { message: 'start 2 fails' })
  await supervisor.stop()
})

t.test('half-restarted siblings are undone before the retry', async (t) => {
  const { supervisor, probes, told, clock, journal } = stage({ strategy: 'one-for-all' })
  probes[2]!.starting = failing(2)
  await supervisor.start()
  journal.length = 0
  await probes[0]!.crash(boom)
  await settle()
  t.same(journal.slice(-5), ['+a', '+b', '+c', '-b', '-a'])
  t.equal(states(probes), 'a:stopped b:stopped c:crashed', 'undone at once, not when the wait is over')
  await clock.advance(100)
  t.same(journal.slice(-3), ['+a', '+b', '+c'])
  t.equal(states(probes), 'a:running b:running c:running')
  t.same(told, ['crash a', 'restarting a', 'restart-failed c', 'backoff a', 'restarting a', 'restarted a'])
  await supervisor.stop()
})

t.test('rest-for-one goes on from the child that failed, as OTP does', async (t) => {
  const { supervisor, probes, clock } = stage({ strategy: 'rest-for-one', labels: ['a', 'b', 'c', 'd'] })
  probes[2]!.starting = failing(2)
  await supervisor.start()
  await probes[1]!.crash(boom)
  await clock.advance(100)
  t.equal(states(probes), 'a:running b:running c:running d:running')
  t.same(runsOf(probes), [1, 2, 3, 2])
  await supervisor.stop()
})

t.test('one-for-one: a crash during the restart of another is handled without delay', async (t) => {
  const { supervisor, probes } = stage({ backoff: false })
  const gate = new Gate()
  probes[0]!.starting = (run) => (run === 2 ? gate.opened : undefined)
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(probes[0]!.state, 'starting')
  await probes[2]!.crash(boom)
  await settle()
  t.equal(states(probes), 'a:starting b:running c:running')
  t.equal(probes[2]!.runs, 2)
  gate.open()
  await settle()
  t.equal(probes[0]!.state, 'running')
  t.same(runsOf(probes), [2, 1, 2])
  await supervisor.stop()
})

t.test(
  'one-for-all: a crash during the restart of another begins the restart anew, without delay',
  async (t) => {
    const { supervisor, probes, told, events } = stage({ strategy: 'one-for-all', backoff: false })
    const gate = new Gate()
    probes[2]!.starting = (run) => (run === 2 ? gate.opened : undefined)
    await supervisor.start()
    await probes[1]!.crash(boom)
    await settle()
    t.equal(states(probes), 'a:running b:running c:starting')
    void probes[0]!.crash(boom)
    await settle()
    t.equal(probes[2]!.state, 'stopping', 'the start that is to be undone is told so')
    gate.open()
    await settle()
    t.equal(states(probes), 'a:running b:running c:running')
    t.same(runsOf(probes), [3, 3, 3])
    t.same(told, ['crash b', 'restarting b', 'crash a', 'restarting a', 'restarted b', 'restarted a'])
    t.equal(events.at(-1)!.restarts, 2)
    t.notOk(probes.some((probe) => probe.overlapped))
    await supervisor.stop()
  },
)

t.test(
  'rest-for-one: a crash of an earlier child widens the restart, of a later one begins another',
  async (t) => {
    const labels = ['a', 'b', 'c', 'd']
    const { supervisor, probes } = stage({ strategy: 'rest-for-one', backoff: false, labels })
    const gate = new Gate()
    probes[3]!.starting = (run) => (run === 2 ? gate.opened : undefined)
    await supervisor.start()
    await probes[2]!.crash(boom)
    await settle()
    t.equal(states(probes), 'a:running b:running c:running d:starting')
    void probes[1]!.crash(boom)
    gate.open()
    await settle()
    t.equal(states(probes), 'a:running b:running c:running d:running')
    t.same(runsOf(probes), [1, 2, 3, 3])
    await supervisor.stop()
  },
)

t.test('a child that crashes as soon as it runs again is a new crash', async (t) => {
  const { supervisor, probes, told, clock } = stage()
  await supervisor.start()
  let once = true
  probes[0]!.onChange(({ state }) => {
    if (state === 'running' && once) {
      once = false
      void probes[0]!.crash(new Error('again'))
    }
  })
  await probes[0]!.crash(boom)
  await clock.advance(100)
  t.equal(probes[0]!.state, 'running')
  t.same(told, ['crash a', 'restarting a', 'crash a', 'backoff a', 'restarting a', 'restarted a'])
  await supervisor.stop()
})

t.test('the teardown is over before the child starts again', async (t) => {
  const { supervisor, probes } = stage()
  const gate = new Gate()
  probes[0]!.stopping = (run) => (run === 1 ? gate.opened : undefined)
  await supervisor.start()
  void probes[0]!.crash(boom)
  await settle()
  t.same(runsOf(probes), [1, 1, 1])
  gate.open()
  await settle()
  t.same(runsOf(probes), [2, 1, 1])
  t.notOk(probes[0]!.overlapped)
  await supervisor.stop()
})

t.test('a child that outlives stopTimeout is not restarted: the supervisor crashes', async (t) => {
  const { supervisor, probes, clock, told } = stage({
    strategy: 'one-for-all',
    specs: (probes) => [probes[0]!, { service: probes[1]!, stopTimeout: '1s' }, probes[2]!],
  })
  const gate = new Gate()
  probes[1]!.stopping = () => gate.opened
  await supervisor.start()
  await probes[0]!.crash(boom)
  await clock.advance(999)
  t.equal(supervisor.state, 'running')
  await clock.advance(1)
  t.equal(supervisor.state, 'crashed')
  t.match(supervisor.crashReason, {
    code: 'ERR_STOP_TIMEOUT',
    service: 'top/b',
    phase: 'onStop',
    cause: boom,
  })
  t.same(runsOf(probes), [1, 1, 1])
  t.equal(told.at(-1), 'gave-up b')
  gate.open()
  await supervisor.stop()
})

t.test('the default stopTimeout is 10 s, and bounds the teardown of a crash too', async (t) => {
  const { supervisor, probes, clock } = stage({ labels: ['a'] })
  probes[0]!.stopping = () => new Promise(() => {})
  await supervisor.start()
  void probes[0]!.crash(boom)
  await clock.advance(9_999)
  t.equal(supervisor.state, 'running')
  await clock.advance(1)
  t.match(supervisor.crashReason, { code: 'ERR_STOP_TIMEOUT', service: 'top/a', cause: boom })
  t.equal(probes[0]!.runs, 1)
})

t.test('a listener that stops the supervisor has its way', async (t) => {
  for (const type of ['crash', 'backoff', 'restarting', 'restarted'] as const) {
    const { supervisor, probes } = stage({ backoff: { initial: 1 } })
    await supervisor.start()
    supervisor.on((event) => {
      if (event.type === type) void supervisor.stop()
    })
    await probes[0]!.crash(boom)
    await settle()
    if (type === 'backoff') await probes[0]!.crash(boom)
    await settle()
    t.equal(supervisor.state, 'stopped', type)
    t.notOk(probes.some((probe) => probe.live > 0))
  }
})
