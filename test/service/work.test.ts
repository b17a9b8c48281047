import { getEventListeners } from 'node:events'
import t from 'tap'
import { crontab, task, timer } from '../../src/schedule/metadata.ts'
import { NODE } from '../../src/service/node.ts'
import { Service } from '../../src/service/service.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Gate, forever, untilAborted } from '../support/gate.ts'
import { Probe, outcome, settled } from '../support/probe.ts'
import { record } from '../support/record.ts'

function abortError(): Error {
  return new DOMException('aborted', 'AbortError')
}

void t.test('a task gets a signal of its own, aborted at step 4', async (t) => {
  record(t)
  const signals: AbortSignal[] = []
  const service = new Probe('S', undefined, {
    onStop() {
      t.ok(this.signal.aborted)
      t.notOk(signals.some((signal) => signal.aborted))
    },
  })
  for (const name of ['a', 'b']) {
    service.addTask(name, async (signal) => {
      signals.push(signal)
      await untilAborted(signal)
    })
  }
  await service.start()
  t.equal(new Set([...signals, service.signal]).size, 3)
  await service.stop()
  t.ok(signals.every((signal) => signal.aborted))
})

void t.test('cancelled in reverse order of their beginning, futures too', async (t) => {
  const log = record(t, { life: false })
  const service = new Probe('S')
  const work = (name: string) => async (signal: AbortSignal) => {
    signal.addEventListener('abort', () => log.add(name))
    await untilAborted(signal)
  }
  service.addTask('one', work('one'))
  service.addTask('two', work('two'))
  await service.start()
  void service.addFuture(work('three'))
  service.addTask('four', work('four'))
  await service.stop()
  t.strictSame(log.take(), ['four', 'three', 'two', 'one'])
})

void t.test('pendingWork() names what still runs', async (t) => {
  record(t)
  const gate = new Gate()
  const service = new Probe('S')
  t.strictSame(service.pendingWork(), [])
  service.addTask('long', untilAborted)
  service.addTask('short', gate.pass)
  await service.start()
  void service.addFuture(async function upload(signal) {
    await untilAborted(signal)
  })
  void service.addFuture(untilAborted, 'named')
  void service.addFuture(gate.pass())
  t.strictSame(service.pendingWork(), ['long', 'short', 'upload', 'named', 'future'])
  gate.open()
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(service.pendingWork(), ['long', 'upload', 'named'])
  await service.stop()
  t.strictSame(service.pendingWork(), [])
})

void t.test('a task that ends is no event; the service runs on', async (t) => {
  record(t)
  const service = new Probe('S')
  service.addTask('short', async () => {})
  await service.start()
  t.equal(service.state, 'running')
  await service.stop()
})

void t.test('a subclass that overrides a task replaces the work, and it runs once', async (t) => {
  record(t)
  const ran: string[] = []
  class Base extends Service {
    @task async poll() {
      ran.push('base poll')
    }
    @task protected async other() {
      ran.push('other')
    }
  }
  class Plain extends Base {
    override async poll() {
      ran.push('plain poll')
    }
  }
  class Decorated extends Base {
    @Service.task override async poll() {
      await super.poll()
      ran.push('decorated poll')
    }
  }
  for (const [service, expected] of [
    [new Base(), ['base poll', 'other']],
    [new Plain(), ['plain poll', 'other']],
    [new Decorated(), ['base poll', 'other', 'decorated poll']],
  ] as const) {
    await service.start()
    await service.stop()
    t.strictSame(ran.splice(0), expected)
  }
})

void t.test('addTask() with a known name replaces it, a decorated one too', async (t) => {
  record(t)
  const ran: string[] = []
  class Base extends Service {
    @task async poll() {
      ran.push('decorated')
    }
    @task async last() {
      ran.push('last')
    }
  }
  const service = new Base()
  service.addTask('own', async () => void ran.push('own, replaced'))
  service.addTask('poll', async () => void ran.push('replaced'))
  service.addTask('own', async () => void ran.push('own'))
  await service.start()
  t.strictSame(ran, ['replaced', 'last', 'own'])
  await service.stop()
})

void t.test('addTask() while it runs: at once, not twice under one name', async (t) => {
  record(t)
  const service = new Probe('S')
  await service.start()
  let began = false
  service.addTask('late', async (signal) => {
    began = true
    await untilAborted(signal)
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(began)
  t.throws(() => service.addTask('late', async () => {}), { code: 'ERR_INVALID_ARGUMENT' })
  await service.stop()
})

void t.test('addTask() in postInit and onStart: with the others, for this run', async (t) => {
  record(t)
  const ran: string[] = []
  const service = new Probe('S', undefined, {
    postInit() {
      this.addTask('of postInit', async () => void ran.push('postInit'))
    },
    onStart() {
      this.addTask('of onStart', async () => void ran.push('onStart'))
      t.strictSame(ran, [])
    },
  })
  service.addTask('own', async () => void ran.push('own'))
  await service.start()
  t.strictSame(ran.splice(0), ['own', 'postInit', 'onStart'])
  await service.restart()
  t.strictSame(ran, ['own', 'postInit', 'onStart'])
  await service.stop()
})

void t.test('the promise of addFuture() settles as the work does, and may be ignored', async (t) => {
  record(t)
  const service = new Probe('S')
  await service.start()
  t.equal(await service.addFuture(Promise.resolve(1)), 1)
  t.equal(await service.addFuture(async () => 'two'), 'two')
  const thenable: PromiseLike<number> = {
    // oxlint-disable-next-line unicorn/no-thenable
    then: (...args) => Promise.resolve(3).then(...args),
  }
  t.equal(await service.addFuture(thenable), 3)
  const error = new Error('ignored')
  void service.addFuture(async () => {
    throw error
  })
  await service.waitUntilStopped()
  await service.stop()
  t.equal(service.crashReason, error)

  await service.start()
  const awaited = new Error('awaited')
  t.equal(await outcome(service.addFuture(Promise.reject(awaited))), awaited)
  t.equal(service.crashReason, awaited)
  await service.stop()

  await service.start()
  const sync = new Error('sync')
  const thrown = service.addFuture(() => {
    throw sync
  })
  t.equal(await outcome(thrown), sync, 'a function that throws instead of rejecting')
  await service.stop()
  t.equal(service.crashReason, sync)
})

void t.test('once shouldStop is set, errors of tasks and futures are logged, no more', async (t) => {
  const log = record(t)
  const service = new Probe('S')
  service.addTask('task', async (signal) => {
    await untilAborted(signal)
    throw new Error('of the task')
  })
  service.addTask('waker', async () => {
    await service.wait()
    throw new Error('as soon as the stop began')
  })
  service.addTask('normal', async (signal) => {
    await untilAborted(signal)
    signal.throwIfAborted()
  })
  await service.start()
  const future = outcome(
    service.addFuture(async (signal) => {
      await untilAborted(signal)
      throw new Error('of the future')
    }),
  )
  t.equal(await outcome(service.stop()), 'ok')
  t.equal(service.state, 'stopped')
  t.match(await future, { message: 'of the future' })
  t.strictSame(log.problems.map((line) => String(line.err?.message)).sort(), [
    'as soon as the stop began',
    'of the future',
    'of the task',
  ])
})

void t.test('a foreign AbortError is a crash', async (t) => {
  record(t)
  const error = abortError()
  const service = new Probe('S')
  await service.start()
  void service.addFuture(async () => {
    throw error
  })
  await service.waitUntilStopped()
  t.equal(service.crashReason, error)
  await service.stop()
})

void t.test('a task that calls a child already stopped does not make a crash of a stop', async (t) => {
  const log = record(t)
  const child = new Probe('C')
  const parent = new Probe('P', undefined, {}, [child])
  parent.addTask('work', async (signal) => {
    while (!signal.aborted) {
      await parent.sleep(1)
      if (child.state === 'stopped') throw new Error('child is gone')
    }
  })
  await parent.start()
  await parent.stop()
  t.equal(parent.state, 'stopped')
  t.equal(parent.crashed, false)
  t.ok(log.problems.length <= 1)
})

void t.test('a promise given to addFuture() is let go at step 4', async (t) => {
  const log = record(t)
  const gate = new Gate()
  const service = new Probe('S')
  await service.start()
  const promise = outcome(service.addFuture(gate.pass(), 'held'))
  void service.addFuture(forever())
  t.strictSame(service.pendingWork(), ['held', 'future'])
  await service.stop()
  t.strictSame(service.pendingWork(), [])
  const error = new Error('after all')
  gate.throw(error)
  t.equal(await promise, error)
  t.equal(service.state, 'stopped')
  t.match(log.problems, [{ err: { message: 'after all' } }])
})

void t.test('a promise that fails with an AbortError after it was let go is normal', async (t) => {
  const log = record(t)
  const gate = new Gate()
  const service = new Probe('S')
  await service.start()
  void service.addFuture(gate.pass())
  await service.stop()
  gate.throw(abortError())
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(log.problems, [])
})

void t.test(
  'addFuture() during a stop: until the gathering it is waited for, afterwards refused',
  async (t) => {
    const log = record(t, { life: false })
    let refused: unknown
    const service = new Probe('S', undefined, {
      onStop() {
        void this.addFuture(async (signal) => {
          await untilAborted(signal)
          void service.addFuture(async (own) => log.add(`second begins, aborted ${own.aborted}`))
          await new Promise((resolve) => setImmediate(resolve))
          log.add('first ended')
        })
      },
      async onShutdown() {
        log.add('onShutdown')
        refused = await outcome(this.addFuture(async () => t.fail('must not run')))
      },
    })
    await service.start()
    await service.stop()
    t.strictSame(log.take(), ['second begins, aborted true', 'first ended', 'onShutdown'])
    t.match(refused, { code: 'ERR_INVALID_STATE' })
    t.match(await outcome(service.addFuture(async () => t.fail('must not run'))), {
      code: 'ERR_INVALID_STATE',
    })
    void service.addFuture(Promise.reject(new Error('ignored')))
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(service.state, 'stopped')
  },
)

void t.test('addFuture() before start belongs to the first run', async (t) => {
  record(t)
  const service = new Probe('S')
  const future = service.addFuture(untilAborted, 'early')
  await service.start()
  t.strictSame(service.pendingWork(), ['early'])
  await service.stop()
  await future
})

// ---- timers and crons

function timed(t: Parameters<typeof record>[0], service: Service) {
  record(t)
  const clock = new FakeClock(Date.UTC(2024, 0, 1, 18, 29, 30))
  service[NODE].clock = clock
  return clock
}

void t.test('timers: the first run after one interval, or at once', async (t) => {
  const at: string[] = []
  class Timers extends Service {
    @timer('1s') async second() {
      at.push(`second ${clock.now()}`)
    }
    @Service.timer({ seconds: 2 }, { immediate: true, name: 'two' }) async other() {
      at.push(`two ${clock.now()}`)
    }
  }
  const service = new Timers()
  const clock = timed(t, service)
  await service.start()
  t.strictSame(service.pendingWork(), ['second', 'two'])
  await clock.advance(2500)
  t.strictSame(at.toSorted(), ['second 1000', 'second 2000', 'two 0', 'two 2000'])
  await service.stop()
  t.equal(clock.pending, 0)
  await clock.advance(10_000)
  t.equal(at.length, 4)
})

void t.test('runs of a timer never overlap, missed ticks are skipped', async (t) => {
  const service = new Probe('S')
  const clock = timed(t, service)
  const began: number[] = []
  let running = 0
  service.addTimer(100, async () => {
    t.equal(++running, 1)
    began.push(clock.now())
    await service.sleep(250)
    running--
  })
  await service.start()
  await clock.advance(1000)
  t.strictSame(began, [100, 400, 700, 1000])
  await service.stop()
})

void t.test("onError: 'crash' is the default, 'log' goes on", async (t) => {
  const log = record(t)
  const clock = new FakeClock()
  const service = new Probe('S')
  service[NODE].clock = clock
  let failures = 0
  service.addTimer(
    100,
    async () => {
      throw new Error(`failure ${++failures}`)
    },
    { onError: 'log', name: 'tolerant' },
  )
  await service.start()
  await clock.advance(250)
  t.equal(service.state, 'running')
  t.match(
    log.problems.map((line) => line.err?.message),
    ['failure 1', 'failure 2'],
  )
  await service.stop()

  const error = new Error('fatal')
  const strict = new Probe('S')
  strict[NODE].clock = clock
  strict.addTimer(100, async () => {
    throw error
  })
  await strict.start()
  await clock.advance(100)
  t.equal(strict.crashReason, error)
  await strict.stop()
})

void t.test('a timer gets the signal of step 4; no round begins once a stop has begun', async (t) => {
  const gate = new Gate()
  const seen: boolean[] = []
  const service = new Probe('S', undefined, { onStop: gate.pass })
  const clock = timed(t, service)
  let rounds = 0
  service.addTimer(10, async (signal) => {
    rounds++
    signal.addEventListener('abort', () => seen.push(service.children.every((c) => c.state === 'stopped')))
    if (rounds > 1) await untilAborted(signal)
  })
  await service.start()
  await clock.advance(20)
  t.equal(rounds, 2)
  const stopping = service.stop()
  await clock.advance(100)
  t.strictSame(seen, [])
  gate.open()
  await stopping
  t.strictSame(seen, [true, true])
  t.equal(rounds, 2)
})

void t.test('crons', async (t) => {
  const at: string[] = []
  class Crons extends Service {
    @crontab('30 18 * * *', { timezone: 'UTC' }) async evening() {
      at.push('evening')
    }
    @Service.crontab('*/10 * * * * *') async often() {
      at.push('often')
    }
  }
  const service = new Crons()
  const clock = timed(t, service)
  await service.start()
  await clock.advance(25_000)
  t.strictSame(at.splice(0), ['often', 'often'])
  await clock.advance(10_000)
  t.strictSame(at.splice(0).sort(), ['evening', 'often'])
  const error = new Error('cron')
  service.addCron('*/15 * * * * *', async () => {
    throw error
  })
  await clock.advance(15_000)
  t.equal(service.crashReason, error)
  await service.stop()
  t.equal(clock.pending, 0)
})

void t.test('bad timers and crons are refused where they are added', (t) => {
  const service = new Probe('S')
  for (const duration of [-1, Number.NaN, '5', '', 'soon', {}, { weeks: 1 }, null, undefined, [], true]) {
    t.throws(() => service.addTimer(duration as never, async () => {}), { code: 'ERR_INVALID_DURATION' })
  }
  t.throws(() => service.addCron('not a cron', async () => {}), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => service.addCron('* * * * *', async () => {}, { timezone: 'Mars/Base' }), {
    code: 'ERR_INVALID_ARGUMENT',
  })
  t.end()
})

void t.test('a stopped service leaves nothing: no timers, no listeners', async (t) => {
  const service = new Probe('S')
  const clock = timed(t, service)
  service.addTimer(100, async () => {})
  service.addCron('* * * * *', async () => {})
  service.addTask('loop', async () => {
    while (!service.shouldStop) await service.sleep('1s')
  })
  await service.start()
  const { signal } = service
  await clock.advance(3000)
  t.ok(await settled(service.stop({ timeout: '10s' })))
  t.equal(clock.pending, 0)
  t.equal(getEventListeners(signal, 'abort').length, 0)
})
