import t from 'tap'
import { NODE } from '../../src/service/node.ts'
import { Service } from '../../src/service/service.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Gate, forever, untilAborted } from '../support/gate.ts'
import { Probe, outcome, resource, settled, throws } from '../support/probe.ts'
import { record } from '../support/record.ts'

void t.test('stop() on a service that never started does nothing', async (t) => {
  const log = record(t)
  const service = new Probe('S', log.add, {}, [new Probe('C', log.add)])
  await service.stop()
  t.equal(service.state, 'init')
  t.equal(service.shouldStop, false)
  t.strictSame(log.take(), [])
  await service[Symbol.asyncDispose]()
  t.equal(service.state, 'init')
})

void t.test('stop() on a stopped service does nothing, whatever the last outcome', async (t) => {
  const log = record(t)
  const service = new Probe('S', log.add, { onStop: throws(new Error('x')) })
  await service.start()
  await outcome(service.stop())
  log.take()
  t.equal(await outcome(service.stop()), 'ok')
  t.strictSame(log.take(), [])
})

void t.test('every caller of a stop under way gets the same outcome, at the same time', async (t) => {
  record(t)
  const gate = new Gate()
  const service = new Probe('S', undefined, {
    onStop: gate.pass,
    onShutdown: throws(new Error('two')),
  })
  await service.start()
  const stops = [service.stop(), service.stop(), service[Symbol.asyncDispose]()].map(outcome)
  await gate.reached
  const late = outcome(service.stop())
  t.notOk(await settled(late, 5), 'a second stop() waits')
  gate.throw(new Error('one'))
  const outcomes = [...(await Promise.all(stops)), await late]
  t.type(outcomes[0], AggregateError)
  t.ok(
    outcomes.every((each) => each === outcomes[0]),
    'the very same error',
  )
})

void t.test('an error in one step does not skip the others; one error is itself', async (t) => {
  for (const hook of ['onStop', 'onShutdown'] as const) {
    const log = record(t, { life: false })
    const error = new Error(hook)
    const service = new Probe('S', log.add, { [hook]: throws(error) }, [new Probe('C', log.add)])
    await service.start()
    service.use(resource('R', log.add))
    log.take()
    t.equal(await outcome(service.stop()), error)
    t.strictSame(log.take(), ['S.onStop', 'C.onStop', 'C.onShutdown', 'dispose R', 'S.onShutdown'])
    t.equal(service.state, 'stopped')
    t.equal(service.crashed, false)
  }
})

void t.test('an error of a child is an error of the stop, as itself', async (t) => {
  const log = record(t, { life: false })
  const error = new Error('child')
  const child = new Probe('B', log.add, { onStop: throws(error) })
  const parent = new Probe('P', log.add, {}, [new Probe('A', log.add), child])
  await parent.start()
  t.equal(await outcome(parent.stop()), error)
  t.strictSame([parent.state, child.state], ['stopped', 'stopped'])
  t.ok(log.take().includes('A.onShutdown'))
})

void t.test('several errors are one AggregateError, however deep', async (t) => {
  record(t)
  const errors = ['stop', 'grandchild', 'child', 'dispose', 'shutdown'].map((text) => new Error(text))
  const [stop, ofGrandchild, ofChild, dispose, shutdown] = errors
  const grandchild = new Probe('G', undefined, { onStop: throws(ofGrandchild) })
  const child = new Probe('C', undefined, { onShutdown: throws(ofChild) }, [grandchild])
  const parent = new Probe('P', undefined, { onStop: throws(stop), onShutdown: throws(shutdown) }, [child])
  await parent.start()
  parent.use(resource('R', () => {}, throws(dispose)))
  const failure = (await outcome(parent.stop())) as AggregateError
  t.type(failure, AggregateError)
  t.equal(failure.errors.length, 5)
  for (const error of errors) t.ok(failure.errors.includes(error), error.message)
})

void t.test('a resource that fails does not keep the others', async (t) => {
  const log = record(t, { life: false })
  const error = new Error('dispose')
  const service = new Probe('S')
  await service.start()
  service.use(resource('one', log.add))
  service.use(resource('two', log.add, throws(error)))
  service.use({ [Symbol.dispose]: throws(error) })
  const failure = (await outcome(service.stop())) as AggregateError
  t.strictSame(failure.errors, [error, error])
  t.strictSame(log.take(), ['dispose two', 'dispose one'])
})

void t.test('resources belong to a run: also those of the stop itself, none twice', async (t) => {
  const log = record(t, { life: false })
  const service = new Probe('S', undefined, {
    onStop() {
      this.use(resource('of onStop', log.add))
    },
    onShutdown() {
      this.use(resource('of onShutdown', log.add))
    },
  })
  const given = resource('x', log.add)
  t.equal(service.use(given), given)
  await service.start()
  await service.stop()
  t.strictSame(log.take(), ['dispose of onStop', 'dispose x', 'dispose of onShutdown'])
  await service.start()
  await service.stop()
  t.strictSame(log.take(), ['dispose of onStop', 'dispose of onShutdown'])
  t.throws(() => service.use(given), { code: 'ERR_INVALID_STATE' })
})

void t.test(
  'setShutdown() missing for shutdownTimeout: ERR_SHUTDOWN_TIMEOUT, the remaining steps run',
  async (t) => {
    const log = record(t)
    const clock = new FakeClock()
    const service = new Probe('S', log.add)
    service[NODE].clock = clock
    service.waitForShutdown = true
    service.shutdownTimeout = '2s'
    service.addTask('work', async (signal) => untilAborted(signal))
    await service.start()
    service.use(resource('R', log.add))
    log.take()
    const stopping = outcome(service.stop())
    await clock.advance(1999)
    t.strictSame(log.take(), ['[S] Stopping...', 'S.onStop', '[S] Stopped'])
    await clock.advance(1)
    t.match(await stopping, { code: 'ERR_SHUTDOWN_TIMEOUT', service: 'S' })
    t.strictSame(log.take(), ['dispose R', 'S.onShutdown', '[S] Shutdown complete!'])
    t.equal(service.state, 'stopped')
    t.equal(clock.pending, 0)
  },
)

void t.test('shutdownTimeout is 60s, waitForShutdown is off, by default', async (t) => {
  record(t)
  const clock = new FakeClock()
  const service = new Probe('S')
  t.equal(service.waitForShutdown, false)
  t.equal(service.shutdownTimeout, '60s')
  service[NODE].clock = clock
  service.waitForShutdown = true
  await service.start()
  const stopping = outcome(service.stop())
  await clock.advance(59_999)
  t.equal(service.state, 'stopping')
  await clock.advance(1)
  t.match(await stopping, { code: 'ERR_SHUTDOWN_TIMEOUT' })
})

void t.test('setShutdown() may come before the stop, is for one run, and leaves no timer', async (t) => {
  record(t)
  const clock = new FakeClock()
  const service = new Probe('S')
  service[NODE].clock = clock
  service.waitForShutdown = true
  await service.start()
  service.setShutdown()
  await service.stop()
  t.equal(clock.pending, 0)
  await service.start()
  const stopping = service.stop()
  t.notOk(await settled(stopping, 5), 'a new run waits anew')
  service.setShutdown()
  await stopping
  t.equal(clock.pending, 0)
})

void t.test('a start that failed before onStop is owed does not wait for setShutdown()', async (t) => {
  record(t)
  const clock = new FakeClock()
  const error = new Error('x')
  const service = new Probe('S', undefined, { onStart: throws(error) })
  service[NODE].clock = clock
  service.waitForShutdown = true
  t.equal(await outcome(service.start()), error)
})

void t.test('waitForShutdown in a crash: it is part of the teardown', async (t) => {
  record(t)
  const service = new Probe('S', undefined, {
    onStop() {
      setImmediate(() => this.setShutdown())
    },
  })
  service.waitForShutdown = true
  await service.start()
  await service.crash(new Error('x'))
  t.equal(service.state, 'crashed')
})

void t.test('children are stopped though one was stopped before', async (t) => {
  const log = record(t, { life: false })
  const [a, b] = [new Probe('A', log.add), new Probe('B', log.add)]
  const parent = new Probe('P', log.add, {}, [a, b])
  await parent.start()
  await b.stop()
  log.take()
  await parent.stop()
  t.strictSame(log.take(), ['P.onStop', 'A.onStop', 'A.onShutdown', 'P.onShutdown'])
})

void t.test('a child that is being stopped is waited for, with its errors', async (t) => {
  record(t)
  const gate = new Gate()
  const child = new Probe('C', undefined, { onStop: gate.pass })
  const parent = new Probe('P', undefined, {}, [child])
  await parent.start()
  const ofChild = outcome(child.stop())
  const stopping = outcome(parent.stop())
  t.notOk(await settled(stopping, 5))
  const error = new Error('c')
  gate.throw(error)
  t.equal(await ofChild, error)
  t.equal(await stopping, error)
})

void t.test('a child that a hook of the stop starts is stopped, too', async (t) => {
  record(t)
  const child = new Probe('C')
  const parent = new Probe('P')
  parent.addTask('work', async (signal) => {
    await untilAborted(signal)
    parent.addDependency(child)
    await child.start()
  })
  await parent.start()
  await parent.stop()
  t.equal(child.state, 'stopped')
  t.strictSame(parent.children, [])
})

void t.test('addRuntimeDependency() during a stop does not start it', async (t) => {
  record(t)
  const child = new Probe('C')
  const parent = new Probe('P', undefined, {
    async onStop() {
      await this.addRuntimeDependency(child)
    },
  })
  await parent.start()
  await parent.stop()
  t.equal(child.state, 'init')
})

void t.test('without a budget, stop() waits', async (t) => {
  record(t)
  const clock = new FakeClock()
  const gate = new Gate()
  const service = new Probe('S', undefined, { onStop: gate.pass })
  service[NODE].clock = clock
  await service.start()
  const stopping = service.stop()
  await clock.advance(1e9)
  t.equal(service.state, 'stopping')
  gate.open()
  await stopping
  t.equal(clock.pending, 0)
})

// ---- budgets

interface Setting {
  clock: FakeClock
  add(event: string): void
}

function setUp(t: Parameters<typeof record>[0]) {
  const clock = new FakeClock()
  const log = record(t, { life: false })
  const probe = (
    label: string,
    hooks: ConstructorParameters<typeof Probe>[2] = {},
    children: Probe[] = [],
  ) => {
    const made = new Probe(label, log.add, hooks, children)
    made[NODE].clock = clock
    return made
  }
  const setting: Setting = { clock, add: log.add }
  return { ...setting, log, probe }
}

void t.test('a hung onStop is abandoned and named, the remaining steps run', async (t) => {
  const { clock, log, probe } = setUp(t)
  const child = probe('C', { onStop: forever })
  const parent = probe('P', {}, [probe('A'), child])
  await parent.start()
  log.take()
  const stopping = outcome(parent.stop({ timeout: '1s' }))
  await clock.advance(999)
  t.equal(parent.state, 'stopping')
  await clock.advance(1)
  const failure = (await stopping) as Error
  t.match(failure, { code: 'ERR_STOP_TIMEOUT', service: 'P/C', phase: 'onStop' })
  t.match(failure.message, /P\/C .*1000 ms.*onStop/)
  t.strictSame(log.take(), [
    'P.onStop',
    'C.onStop',
    'C.onShutdown',
    'A.onStop',
    'A.onShutdown',
    'P.onShutdown',
  ])
  t.strictSame([parent.state, child.state], ['stopped', 'stopped'])
  t.equal(clock.pending, 0)
})

void t.test('hung tasks and futures are abandoned, and named', async (t) => {
  const { clock, probe } = setUp(t)
  const service = probe('S')
  service.addTask('stubborn', forever)
  service.addTask('fine', untilAborted)
  await service.start()
  void service.addFuture(forever, 'upload')
  const stopping = outcome(service.stop({ timeout: 50 }))
  await clock.advance(50)
  const failure = (await stopping) as Error
  t.match(failure, { code: 'ERR_STOP_TIMEOUT', service: 'S', phase: 'futures' })
  t.match(failure.message, /stubborn/)
  t.match(failure.message, /upload/)
  t.notMatch(failure.message, /fine/)
  t.equal(service.state, 'stopped')
})

void t.test('a hung start hook is abandoned and named; start() settles', async (t) => {
  for (const phase of ['onFirstStart', 'onStart', 'onStarted'] as const) {
    const { clock, probe, log } = setUp(t)
    const service = probe('S', { [phase]: forever })
    const starting = outcome(service.start())
    await clock.advance(0)
    const stopping = outcome(service.stop({ timeout: 50 }))
    await clock.advance(50)
    t.match(await stopping, { code: 'ERR_STOP_TIMEOUT', service: 'S', phase })
    t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
    t.equal(log.take().includes('S.onStop'), phase === 'onStarted')
    t.equal(service.state, 'stopped')
  }
})

void t.test(
  'a hung start hook of a child: it alone is named, and the grace is left for the rest',
  async (t) => {
    const { clock, probe, log } = setUp(t)
    const slow = () => new Promise<void>((resolve) => void clock.after(60, resolve))
    const parent = probe('P', { onStop: slow }, [probe('C', { onStart: forever })])
    const starting = outcome(parent.start())
    await clock.advance(0)
    const stopping = outcome(parent.stop({ timeout: 50 }))
    await clock.advance(50 + 100)
    t.match(await stopping, { code: 'ERR_STOP_TIMEOUT', service: 'P/C', phase: 'onStart' })
    t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
    t.ok(log.take().includes('P.onShutdown'))
  },
)

void t.test('one budget for the whole subtree, and 100 ms for all that remains', async (t) => {
  const { clock, probe, log } = setUp(t)
  const hung = ['A', 'B', 'C', 'D'].map((label) => probe(label, { onStop: forever, onShutdown: forever }))
  const parent = probe('P', {}, hung)
  await parent.start()
  log.take()
  const stopping = outcome(parent.stop({ timeout: 1000 }))
  await clock.advance(1000)
  t.equal(parent.state, 'stopping')
  await clock.advance(99)
  t.equal(parent.state, 'stopping')
  await clock.advance(1)
  const failure = (await stopping) as AggregateError
  t.equal(failure.errors.length, 8)
  t.strictSame(
    failure.errors
      .map((error: { service: string; phase: string }) => `${error.service} ${error.phase}`)
      .sort(),
    ['A', 'B', 'C', 'D'].flatMap((label) => [`P/${label} onShutdown`, `P/${label} onStop`]),
  )
  t.strictSame(
    log.take(),
    ['P.onStop']
      .concat(['D', 'C', 'B', 'A'].flatMap((label) => [`${label}.onStop`, `${label}.onShutdown`]))
      .concat('P.onShutdown'),
  )
  t.equal(clock.pending, 0)
})

void t.test('the grace is one, also for a child that was being stopped by somebody else', async (t) => {
  const { clock, probe } = setUp(t)
  const slow = (ms: number) => () => new Promise<void>((resolve) => void clock.after(ms, resolve))
  const child = probe('C', { onStop: forever, onShutdown: slow(80) })
  const parent = probe('P', { onShutdown: slow(80) }, [child])
  await parent.start()
  void outcome(child.stop({ timeout: '1h' }))
  const stopping = outcome(parent.stop({ timeout: 200 }))
  await clock.advance(300)
  const failure = (await stopping) as AggregateError
  t.match(failure.errors, [
    { service: 'P', phase: 'onShutdown' },
    { service: 'P/C', phase: 'onStop' },
  ])
  for (const error of failure.errors) t.match(error.message, /200 ms/, 'the budget that somebody gave')
})

void t.test('quick steps after the budget are clean', async (t) => {
  const { clock, probe, log } = setUp(t)
  const slow = () => new Promise<void>((resolve) => void clock.after(40, resolve))
  const child = probe('C', { onStop: slow, onShutdown: slow })
  const parent = probe('P', { onStop: forever }, [child])
  await parent.start()
  const stopping = outcome(parent.stop({ timeout: 10 }))
  await clock.advance(10 + 80)
  t.match(await stopping, { code: 'ERR_STOP_TIMEOUT', service: 'P', phase: 'onStop' })
  t.ok(log.take().includes('P.onShutdown'))
})

void t.test('timeout 0: what needs no time is clean', async (t) => {
  const { probe, log } = setUp(t)
  const parent = probe('P', {}, [probe('A'), probe('B')])
  parent.addTask('work', untilAborted)
  await parent.start()
  t.equal(await outcome(parent.stop({ timeout: 0 })), 'ok')
  t.strictSame(log.problems, [])
})

void t.test('a later caller may leave less time, not more', async (t) => {
  const { clock, probe } = setUp(t)
  const service = probe('S', { onStop: forever })
  await service.start()
  const outcomes = [service.stop(), service.stop({ timeout: '1s' }), service.stop({ timeout: '1h' })].map(
    outcome,
  )
  await clock.advance(1000)
  const [first, ...rest] = await Promise.all(outcomes)
  t.match(first, { code: 'ERR_STOP_TIMEOUT', phase: 'onStop' })
  t.ok(rest.every((each) => each === first))
})

void t.test('a parent that leaves less time bounds a child that is being stopped', async (t) => {
  const { clock, probe } = setUp(t)
  const child = probe('C', { onStop: forever })
  const parent = probe('P', {}, [child])
  await parent.start()
  const ofChild = outcome(child.stop())
  await clock.advance(1000)
  const stopping = outcome(parent.stop({ timeout: 10 }))
  await clock.advance(10)
  t.match(await stopping, { code: 'ERR_STOP_TIMEOUT', service: 'P/C' })
  t.equal(await ofChild, await stopping)
})

void t.test('a hung dispose and a missing setShutdown() are bounded by the budget', async (t) => {
  const { clock, probe } = setUp(t)
  const service = probe('S')
  await service.start()
  service.use(resource('R', () => {}, forever))
  const stopping = outcome(service.stop({ timeout: 10 }))
  await clock.advance(10)
  t.match(await stopping, { code: 'ERR_STOP_TIMEOUT', service: 'S' })

  const waiting = probe('W')
  waiting.waitForShutdown = true
  await waiting.start()
  const second = outcome(waiting.stop({ timeout: 10 }))
  await clock.advance(10)
  t.match(await second, { code: 'ERR_STOP_TIMEOUT', service: 'W', phase: 'waitForShutdown' })
  t.equal(clock.pending, 0, 'not even the timer of shutdownTimeout')
})

void t.test('what is abandoned and fails later does no harm; a new run may begin', async (t) => {
  const { clock, probe, log } = setUp(t)
  const [hook, work] = [new Gate(), new Gate()]
  let first = true
  const service = probe('S', { onStop: () => first && hook.pass() })
  service.addTask('work', async () => {
    if (first) await work.pass()
  })
  await service.start()
  const stopping = outcome(service.stop({ timeout: 10 }))
  await clock.advance(200)
  t.type(await stopping, AggregateError)
  first = false
  await service.start()
  hook.throw(new Error('late hook'))
  work.throw(new Error('late work'))
  await clock.advance(0)
  t.equal(service.state, 'running')
  t.match(log.problems, [{ err: { message: 'late work' } }])
  await service.stop()
})

void t.test('an abandoned start hook that ends later does not go on with the start', async (t) => {
  const { clock, probe, log } = setUp(t)
  const gate = new Gate()
  const service = probe('S', { onStart: gate.pass }, [probe('C')])
  void outcome(service.start())
  await gate.reached
  const stopping = outcome(service.stop({ timeout: 10 }))
  await clock.advance(10)
  await stopping
  log.take()
  gate.open()
  await clock.advance(0)
  t.strictSame(log.take(), [])
  t.equal(service.state, 'stopped')
})

void t.test('a budget in time leaves neither timers nor errors', async (t) => {
  const { clock, probe } = setUp(t)
  const parent = probe('P', {}, [probe('C')])
  await parent.start()
  await parent.stop({ timeout: '1h' })
  t.equal(clock.pending, 0)
})

void t.test('stop({ timeout }) of a crashed service bounds its teardown; it resolves', async (t) => {
  const { clock, probe, log } = setUp(t)
  const service = probe('S', { onStop: forever })
  await service.start()
  const crashing = service.crash(new Error('x'))
  const stopping = outcome(service.stop({ timeout: 10 }))
  await clock.advance(10)
  t.equal(await stopping, 'ok')
  await crashing
  t.equal(service.state, 'crashed')
  t.match(
    log.problems.map((line) => line.err?.message),
    ['x', /S did not stop within 10 ms/],
  )
})

void t.test('a stop takes down what was started by itself below a child that is down', async (t) => {
  record(t)
  const events: string[] = []
  const low = new Probe('low', (event) => void events.push(event))
  const middle = new Probe('middle', undefined, {}, [low])
  const top = new Probe('top', undefined, {}, [middle])
  await top.start()
  await middle.stop()
  await low.start()
  events.length = 0
  await top.stop()
  t.equal(low.state, 'stopped')
  t.strictSame(events, ['low.onStop', 'low.onShutdown'])
})

void t.test('a thenable that a hook returns may call back at once, or throw', async (t) => {
  record(t)
  const boom = new Error('boom')
  class Thenables extends Service {
    protected override onStop(): Promise<void> {
      // oxlint-disable-next-line unicorn/no-thenable -- such as somebody else's library may have
      return { then: (resolve: () => void) => resolve() } as never
    }
    protected override onShutdown(): Promise<void> {
      // oxlint-disable-next-line unicorn/no-thenable -- such as somebody else's library may have
      return { then: throws(boom) } as never
    }
  }
  const service = new Thenables()
  const clock = new FakeClock()
  service[NODE].clock = clock
  await service.start()
  t.equal(await outcome(service.stop({ timeout: '1s' })), boom)
  t.equal(service.state, 'stopped')
  t.equal(clock.pending, 0, 'no timer is left')
})
