import { getEventListeners } from 'node:events'
import t from 'tap'
import { NODE } from '../../src/service/node.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Gate, forever, untilAborted } from '../support/gate.ts'
import { Probe, outcome, settled } from '../support/probe.ts'
import { record } from '../support/record.ts'

async function running(t: Parameters<typeof record>[0]) {
  record(t)
  const clock = new FakeClock()
  const service = new Probe('S')
  service[NODE].clock = clock
  await service.start()
  const { signal } = service
  t.teardown(() => service.stop())
  return { clock, service, listeners: () => getEventListeners(signal, 'abort').length }
}

void t.test('sleep() sleeps, and ends early without error on stop and crash', async (t) => {
  const { clock, service, listeners } = await running(t)
  const sleeping = service.sleep('1s')
  await clock.advance(999)
  t.notOk(await settled(sleeping, 2))
  await clock.advance(1)
  await sleeping
  t.equal(clock.pending, 0)
  t.equal(listeners(), 0)
  const early = [service.sleep('1h'), service.sleep(Infinity)]
  void service.stop()
  await Promise.all(early)
  t.equal(clock.pending, 0)
  t.equal(listeners(), 0)
  await service.stop()
  await service.start()
  const crashed = service.sleep('1h')
  void service.crash(new Error('x'))
  await crashed
})

void t.test('sleep() is never over before the next turn of the event loop', async (t) => {
  record(t)
  const service = new Probe('S')
  await service.start()
  for (const duration of [0, '0ms', '1h']) {
    if (duration === '1h') void service.stop()
    let turned = false
    setImmediate(() => (turned = true))
    await service.sleep(duration)
    t.ok(turned || duration !== '1h', 'a turn has passed')
  }
  await service.stop()
})

void t.test('a loop around sleep() between the steps of a stop does not starve timers', async (t) => {
  record(t)
  let rounds = 0
  const enough = (): boolean => rounds >= 5
  const service = new Probe('S', undefined, {
    // Ends only if timers have their turn while the loops below go round.
    onStop: async () => {
      while (!enough()) await new Promise<void>((resolve) => setTimeout(resolve, 1))
    },
  })
  service.addTask('loop', async (signal) => {
    while (!signal.aborted) {
      rounds++
      await service.sleep('1s')
    }
  })
  service.addTask('waiter', async (signal) => {
    while (!signal.aborted) await service.wait()
  })
  service.addTask('ticker', async (signal) => {
    while (!signal.aborted) for await (const _ of service.interval('1s')) t.fail('no tick')
  })
  await service.start()
  await service.stop()
  t.equal(service.state, 'stopped')
  t.ok(rounds >= 5)
})

void t.test('wait() without work lasts until the service stops, or the time is over', async (t) => {
  const { clock, service, listeners } = await running(t)
  const timed = service.wait(undefined, { timeout: '1s' })
  await clock.advance(1000)
  t.strictSame(await timed, { stopped: false, timedOut: true, results: [] })
  const waiting = service.wait()
  t.notOk(await settled(waiting, 5))
  void service.stop()
  t.strictSame(await waiting, { stopped: true, timedOut: false, results: [] })
  t.equal(listeners(), 0)
  t.equal(clock.pending, 0)
  await service.stop()
  t.strictSame(await service.wait(), { stopped: true, timedOut: false, results: [] })
})

void t.test('wait() for works: promises, signals, functions; results in their order', async (t) => {
  const { clock, service, listeners } = await running(t)
  const controller = new AbortController()
  const gate = new Gate()
  const own: AbortSignal[] = []
  const waiting = service.wait([
    controller.signal,
    gate.pass().then(() => 'promise'),
    async (signal: AbortSignal) => {
      own.push(signal)
      return 'function'
    },
  ])
  t.notOk(await settled(waiting, 5))
  gate.open()
  t.notOk(await settled(waiting, 5))
  controller.abort('why')
  const { stopped, timedOut, results } = await waiting
  t.strictSame([stopped, timedOut], [false, false])
  t.strictSame(results, ['why', 'promise', 'function'])
  t.equal(own[0]!.aborted, false, 'the wait did not end early')
  t.equal(listeners(), 0)
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
  t.equal(clock.pending, 0)
  t.strictSame((await service.wait(Promise.resolve(7))).results, [7], 'one work')
  t.strictSame((await service.wait(controller.signal)).results, ['why'], 'a signal that is aborted already')
  t.strictSame(await service.wait([]), { stopped: false, timedOut: false, results: [] })
})

void t.test('a wait that ends early aborts functions, and leaves promises and signals alone', async (t) => {
  const { clock, service, listeners } = await running(t)
  const controller = new AbortController()
  let own: AbortSignal | undefined
  const works = [
    Promise.resolve('quick'),
    forever(),
    controller.signal,
    async (signal: AbortSignal) => {
      own = signal
      await untilAborted(signal)
      throw new Error('nobody is told')
    },
  ] as const
  const timed = service.wait(works, { timeout: 50 })
  await clock.advance(50)
  t.strictSame(await timed, {
    stopped: false,
    timedOut: true,
    results: ['quick', undefined, undefined, undefined],
  })
  t.equal(own!.aborted, true)
  t.equal(controller.signal.aborted, false)
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
  const stopped = service.wait(works)
  await new Promise((resolve) => setImmediate(resolve))
  void service.stop()
  t.match(await stopped, { stopped: true, timedOut: false, results: ['quick', undefined] })
  t.equal(own!.aborted, true)
  t.equal(listeners(), 0)
  t.equal(clock.pending, 0)
})

void t.test('a work that rejects rejects the wait', async (t) => {
  const { service, clock, listeners } = await running(t)
  const error = new Error('work')
  let own: AbortSignal | undefined
  const others = async (signal: AbortSignal) => {
    own = signal
    await untilAborted(signal)
  }
  t.equal(await outcome(service.wait([others, Promise.reject(error)], { timeout: '1h' })), error)
  t.equal(own!.aborted, true)
  const sync = (): Promise<never> => {
    throw error
  }
  t.equal(await outcome(service.wait(sync)), error)
  t.equal(await outcome(service.waitFirst([forever(), Promise.reject(error)])), error)
  t.equal(listeners(), 0)
  t.equal(clock.pending, 0)
  t.equal(service.state, 'running')
})

void t.test('waitFirst(): the first decides, the losers are undefined and cancelled', async (t) => {
  const { service, clock, listeners } = await running(t)
  const signals: AbortSignal[] = []
  const gate = new Gate()
  const waiting = service.waitFirst(
    [
      forever(),
      async (signal: AbortSignal) => {
        signals.push(signal)
        await untilAborted(signal)
        return 'loser'
      },
      async (signal: AbortSignal) => {
        signals.push(signal)
        await gate.pass()
        return 'winner'
      },
    ],
    { timeout: '1h' },
  )
  t.notOk(await settled(waiting, 5))
  gate.open()
  t.strictSame(await waiting, { stopped: false, timedOut: false, results: [undefined, undefined, 'winner'] })
  t.strictSame(
    signals.map((signal) => signal.aborted),
    [true, false],
  )
  t.equal(listeners(), 0)
  t.equal(clock.pending, 0)
  const timed = service.waitFirst([forever()], { timeout: 5 })
  await clock.advance(5)
  t.strictSame(await timed, { stopped: false, timedOut: true, results: [undefined] })
  t.match(await service.waitFirst([]), { stopped: false, results: [] })
})

void t.test('what comes first decides: a stop in the same turn does not take a result away', async (t) => {
  const { service } = await running(t)
  const controller = new AbortController()
  const waiting = service.wait(controller.signal)
  controller.abort('done')
  void service.stop()
  t.strictSame(await waiting, { stopped: false, timedOut: false, results: ['done'] })
})

void t.test(
  'wait() on a stopped service: no work begins, and a promise that fails does no harm',
  async (t) => {
    const { service } = await running(t)
    await service.stop()
    const failing = new Promise((_, reject) => setImmediate(() => reject(new Error('unhandled?'))))
    const result = await service.wait([
      failing,
      async () => {
        t.fail('must not run')
      },
    ])
    t.match(result, { stopped: true, results: [undefined, undefined] })
    await new Promise((resolve) => setTimeout(resolve, 1))
  },
)

void t.test('interval(): 0, 1, 2, … on a grid; an overrun skips ticks', async (t) => {
  const { service, clock, listeners } = await running(t)
  const seen: [number, number][] = []
  const loop = (async () => {
    for await (const tick of service.interval(100)) {
      seen.push([tick, clock.now()])
      await service.sleep(tick === 1 ? 250 : 30)
    }
  })()
  await clock.advance(650)
  t.strictSame(seen, [
    [0, 100],
    [1, 200],
    [2, 500],
    [3, 600],
  ])
  await service.stop()
  await loop
  t.equal(listeners(), 0)
  t.equal(clock.pending, 0)
})

void t.test('interval(): break leaves nothing behind', async (t) => {
  const { service, clock, listeners } = await running(t)
  const loop = (async () => {
    for await (const tick of service.interval('1s')) if (tick === 2) return
  })()
  await clock.advance(3000)
  await loop
  t.equal(listeners(), 0)
  t.equal(clock.pending, 0)
})

void t.test('many sleepers at once are no leak to warn of', async (t) => {
  const { service, listeners } = await running(t)
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  const sleepers = Array.from({ length: 100 }, () => service.sleep('1h'))
  t.equal(listeners(), 100)
  void service.stop()
  await Promise.all(sleepers)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', onWarning)
  t.strictSame(warnings, [])
  t.equal(listeners(), 0)
})

void t.test('durations that are none: ERR_INVALID_DURATION, naming the value', async (t) => {
  const { service } = await running(t)
  const bad = 'a while' as never
  const invalid = { code: 'ERR_INVALID_DURATION', message: /a while/ }
  t.match(await outcome(service.sleep(bad)), invalid)
  t.match(await outcome(service.wait([], { timeout: bad })), invalid)
  t.match(await outcome(service.waitFirst([forever()], { timeout: bad })), invalid)
  t.throws(() => service.interval(bad), invalid)
  t.throws(() => service.addTimer(bad, async () => {}), invalid)
  t.match(await outcome(service.stop({ timeout: bad })), invalid)
  t.equal(service.state, 'running', 'a stop that is refused changes nothing')
  t.match(await outcome(service.stop({ timeout: -1 })), { message: /-1/ })
  service.waitForShutdown = true
  service.shutdownTimeout = bad
  t.match(await outcome(service.stop()), invalid)
  t.equal(service.state, 'stopped')
})

void t.test('waitUntilStopped(): at once when not up, when a stop begins, when it crashes', async (t) => {
  const gate = new Gate()
  record(t)
  const service = new Probe('S', undefined, { onStop: gate.pass })
  await service.waitUntilStopped()
  await service.start()
  const waiting = service.waitUntilStopped()
  t.notOk(await settled(waiting, 5))
  const stopping = service.stop()
  await waiting
  t.equal(service.state, 'stopping')
  await service.waitUntilStopped()
  gate.open()
  await stopping
  await service.waitUntilStopped()

  const crashed = new Probe('S')
  const starting = crashed.start()
  const whileStarting = crashed.waitUntilStopped()
  await starting
  t.notOk(await settled(whileStarting, 5))
  void crashed.crash(new Error('x'))
  await whileStarting
  await crashed.waitUntilStopped()
  await crashed.stop()

  const failing = new Probe('S', undefined, {
    onStart: gate.pass,
    onStarted: () => Promise.reject(new Error('y')),
  })
  const failed = outcome(failing.start())
  await failing.waitUntilStopped()
  t.equal(failing.state, 'crashed')
  await failed
})
