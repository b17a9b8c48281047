import t from 'tap'
import { isBulkheadError } from '../../src/errors/bulkhead-error.ts'
import { Service } from '../../src/service/service.ts'
import type { ServiceLike } from '../../src/service/types.ts'
import { Gate, forever, untilAborted } from '../support/gate.ts'
import { Probe, outcome, resource, throws } from '../support/probe.ts'
import { record } from '../support/record.ts'

async function code(promise: Promise<unknown>): Promise<unknown> {
  const error = await outcome(promise)
  return isBulkheadError(error) ? error.code : error
}

void t.test('start() is legal from init, stopped and crashed', async (t) => {
  record(t)
  const service = new Probe('S')
  await service.start()
  await service.stop()
  await service.start()
  await service.crash(new Error('x'))
  await service.start()
  t.equal(service.state, 'running')
  await service.stop()
})

void t.test('start() is refused while starting, running, stopping and during a teardown', async (t) => {
  record(t)
  const starting = new Gate()
  const stopping = new Gate()
  const service = new Probe('S', undefined, { onStart: starting.pass, onStop: stopping.pass })
  const first = service.start()
  t.equal(await code(service.start()), 'ERR_INVALID_STATE', 'starting')
  starting.open()
  await first
  t.equal(await code(service.start()), 'ERR_INVALID_STATE', 'running')
  const stop = service.stop()
  t.equal(await code(service.start()), 'ERR_INVALID_STATE', 'stopping')
  t.equal(await code(service.maybeStart()), 'ERR_INVALID_STATE', 'maybeStart() while stopping')
  stopping.open()
  await stop
  t.equal(service.state, 'stopped')

  const teardown = new Gate()
  const crashed = new Probe('S', undefined, { onStop: teardown.pass })
  await crashed.start()
  const crash = crashed.crash(new Error('x'))
  t.equal(await code(crashed.start()), 'ERR_INVALID_STATE', 'crashed, not yet down')
  teardown.open()
  await crash
  await crashed.start()
  t.equal(crashed.state, 'running')
  await crashed.stop()
})

void t.test('maybeStart(): true for the call that started it, joins a start under way', async (t) => {
  record(t)
  const gate = new Gate()
  const service = new Probe('S', undefined, { onStart: gate.pass })
  const calls = [service.maybeStart(), service.maybeStart(), service.maybeStart()]
  gate.open()
  t.strictSame(await Promise.all(calls), [true, false, false])
  t.equal(await service.maybeStart(), false, 'running')
  await service.stop()
  t.equal(await service.maybeStart(), true, 'stopped')
  await service.stop()
})

void t.test('maybeStart() fails as the start that it joins', async (t) => {
  record(t)
  const gate = new Gate()
  const error = new Error('no')
  const service = new Probe('S', undefined, { onStart: gate.pass })
  const calls = [service.start(), service.maybeStart()].map(outcome)
  gate.throw(error)
  t.strictSame(await Promise.all(calls), [error, error])
})

void t.test('maybeStart() from a listener that hears of the start joins it', async (t) => {
  record(t)
  const gate = new Gate()
  const service = new Probe('S', undefined, { onStart: gate.pass })
  let joined: Promise<boolean> | undefined
  service.onChange(({ state }) => {
    if (state === 'starting') joined = service.maybeStart().then(() => service.started)
  })
  const starting = service.start()
  gate.open()
  await starting
  t.equal(await joined, true)
  await service.stop()
})

void t.test(
  'a hook that throws before onStart is done: no onStop, no onShutdown, use disposed',
  async (t) => {
    for (const hook of ['postInit', 'onFirstStart', 'onStart'] as const) {
      const log = record(t, { life: false })
      const error = new Error(hook)
      const service = new Probe('S', log.add, {
        init() {
          this.use(resource('early', log.add))
        },
        [hook](this: Probe) {
          this.use(resource('first', log.add))
          this.use(resource('second', log.add))
          throw error
        },
      })
      const starting = service.start()
      t.equal(await outcome(starting), error, `${hook}: start() rejects with that very error`)
      t.equal(service.state, 'crashed')
      t.equal(service.crashed, true)
      t.equal(service.crashReason, error)
      t.equal(service.started, false)
      t.equal(service.shouldStop, true)
      const after = log.take()
      t.strictSame(after.slice(after.indexOf(`S.${hook}`) + 1), [
        'dispose second',
        'dispose first',
        'dispose early',
      ])
      t.strictSame(service.pendingWork(), [])
    }
  },
)

void t.test('onInitDependencies that throws, also half-way', async (t) => {
  const log = record(t, { life: false })
  const error = new Error('half')
  const yielded = new Probe('C', log.add)
  const service = new Probe('S', log.add, {
    *onInitDependencies() {
      yield yielded
      throw error
    },
  })
  t.equal(await outcome(service.start()), error)
  t.strictSame(log.take(), ['S.postInit', 'S.onInitDependencies'])
  t.strictSame(service.children, [], 'what the run added is dropped')
  t.equal(yielded.state, 'init')
  t.equal(service.crashReason, error)
})

void t.test('onInitDependencies that gives what is no service', async (t) => {
  record(t)
  const service = new Probe('S', undefined, { onInitDependencies: () => [{} as Probe] })
  t.equal(await code(service.start()), 'ERR_INVALID_ARGUMENT')
})

void t.test('onStarted that throws: all is undone in stop order, onStop and onShutdown run', async (t) => {
  const log = record(t)
  const error = new Error('late')
  const child = new Probe('C', log.add)
  const service = new Probe('S', log.add, { onStarted: throws(error) }, [child])
  service.addTask('work', async (signal) => {
    await untilAborted(signal)
    log.add('work ended')
  })
  const starting = service.start()
  await outcome(starting)
  const events = log.take()
  t.strictSame(events.slice(events.indexOf('S.onStarted') + 1), [
    '[S] Stopping...',
    'S.onStop',
    '[C] Stopping...',
    'C.onStop',
    '[C] Stopped',
    'C.onShutdown',
    '[C] Shutdown complete!',
    '[S] Stopped',
    'work ended',
    'S.onShutdown',
    '[S] Shutdown complete!',
  ])
  t.equal(await outcome(starting), error)
  t.equal(service.crashReason, error)
  t.equal(child.state, 'stopped', 'the child did not fail')
  t.strictSame(service.pendingWork(), [])
})

void t.test(
  'a child that fails: one ERR_START_FAILED with path and cause, the others are undone',
  async (t) => {
    const log = record(t, { life: false })
    const error = new Error('bad child')
    const [a, b, c] = [
      new Probe('A', log.add),
      new Probe('B', log.add, { onStart: throws(error) }),
      new Probe('C', log.add),
    ]
    const parent = new Probe('P', log.add, {}, [a, b, c])
    const failure = await outcome(parent.start())
    t.ok(isBulkheadError(failure, 'ERR_START_FAILED'))
    t.match(failure, { service: 'P/B', cause: error })
    t.equal((failure as Error).cause, error)
    t.match((failure as Error).message, /P\/B.*bad child/)
    t.equal(parent.crashReason, failure)
    t.equal(b.crashReason, error)
    t.equal(b.state, 'crashed')
    t.equal(a.state, 'stopped')
    t.equal(c.state, 'init')
    const events = log.take()
    t.strictSame(events.slice(events.indexOf('B.onStart') + 1), [
      'P.onStop',
      'A.onStop',
      'A.onShutdown',
      'P.onShutdown',
    ])
  },
)

void t.test('however deep: one ERR_START_FAILED, the path of the one that failed', async (t) => {
  record(t)
  const error = new TypeError('deep')
  const deep = new Probe('D', undefined, { onFirstStart: throws(error) })
  const c = new Probe('C', undefined, { onInitDependencies: () => [deep] })
  const b = new Probe('B', undefined, {}, [c])
  const a = new Probe('A', undefined, {}, [b])
  const failure = await outcome(a.start())
  t.match(failure, { code: 'ERR_START_FAILED', service: 'A/B/C/D' })
  t.equal((failure as Error).cause, error)
  t.equal(a.crashReason, failure)
  t.equal(b.crashReason, failure)
  t.equal(c.crashReason, failure)
  t.equal(deep.crashReason, error)
})

void t.test('a child that throws no error: the thrown value is the cause', async (t) => {
  record(t)
  const parent = new Probe('P', undefined, {}, [new Probe('C', undefined, { onStart: throws('text') })])
  const failure = await outcome(parent.start())
  t.match(failure, { code: 'ERR_START_FAILED', service: 'P/C', cause: 'text' })
})

void t.test('a service may throw anything, undefined too', async (t) => {
  record(t)
  const service = new Probe('S', undefined, { onStart: throws(undefined) })
  let rejected = false
  await service.start().catch((error: unknown) => {
    rejected = true
    t.equal(error, undefined)
  })
  t.ok(rejected)
  t.equal(service.state, 'crashed')
})

void t.test('after a start that failed it can be started again', async (t) => {
  const log = record(t, { life: false })
  let fail = true
  const service = new Probe('S', log.add, {
    onStart() {
      if (fail) throw new Error('first time')
    },
  })
  await outcome(service.start())
  fail = false
  log.take()
  await service.start()
  t.strictSame(log.take(), ['S.postInit', 'S.onInitDependencies', 'S.onStart', 'S.onStarted'])
  t.equal(service.crashReason, undefined)
  await service.stop()
})

void t.test('a task that throws during start crashes it: start() rejects with that error', async (t) => {
  const log = record(t, { life: false })
  const error = new Error('task')
  const gate = new Gate()
  const child = new Probe('C', log.add, { onStart: gate.pass })
  const service = new Probe('S', log.add, {}, [child])
  service.addTask('work', async () => {
    await gate.reached
    throw error
  })
  const starting = outcome(service.start())
  await gate.reached
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(service.state, 'crashed')
  t.equal(child.state, 'crashed')
  gate.open()
  t.equal(await starting, error)
  t.equal(service.crashReason, error)
  t.equal(child.crashReason, error)
  const events = log.take()
  t.notOk(events.includes('S.onStarted') || events.includes('C.onStarted'))
  t.strictSame(events.slice(-4), ['S.onStop', 'C.onStop', 'C.onShutdown', 'S.onShutdown'])
})

void t.test('a task that throws at once fails a start that has nothing to wait for', async (t) => {
  record(t)
  const error = new Error('at once')
  const service = new Probe('S')
  service.addTask('work', async () => {
    throw error
  })
  t.equal(await outcome(service.start()), error)
  t.equal(service.state, 'crashed')
})

void t.test('a future that throws during start crashes it too', async (t) => {
  record(t)
  const error = new Error('future')
  const service = new Probe('S', undefined, {
    async onStart() {
      void this.addFuture(Promise.reject(error))
      await untilAborted(this.signal)
    },
  })
  t.equal(await outcome(service.start()), error)
})

void t.test('what was started by hand in onStart is undone when onStart throws', async (t) => {
  record(t)
  const error = new Error('after the child')
  const child = new Probe('C')
  const service = new Probe('S', undefined, {
    async onStart() {
      await this.addRuntimeDependency(child)
      throw error
    },
  })
  t.equal(await outcome(service.start()), error)
  t.equal(child.state, 'stopped')
  t.strictSame(service.children, [])
})

void t.test(
  'addRuntimeDependency(): starts it when running, rejects when that fails, the parent runs on',
  async (t) => {
    record(t)
    const parent = new Probe('P')
    const early = new Probe('E')
    await parent.addRuntimeDependency(early)
    t.equal(early.state, 'init', 'the parent is not started')
    await parent.start()
    t.equal(early.state, 'running')
    const late = new Probe('L')
    t.equal(await parent.addRuntimeDependency(late), late)
    t.equal(late.state, 'running')
    const failure = await outcome(
      parent.addRuntimeDependency(new Probe('B', undefined, { onStart: throws('no') })),
    )
    t.match(failure, { code: 'ERR_START_FAILED', service: 'P/B', cause: 'no' })
    t.equal(parent.state, 'running')
    await parent.stop()
    t.equal(late.state, 'stopped')
  },
)

void t.test('a child that runs already is no obstacle', async (t) => {
  record(t)
  const child = new Probe('C')
  const parent = new Probe('P', undefined, {}, [child])
  await child.start()
  await parent.start()
  t.equal(child.state, 'running')
  await parent.stop()
  t.equal(child.state, 'stopped')
})

// ---- stop() during start()

void t.test(
  'stop() during a hook: it is awaited, the rest skipped, what had started is stopped',
  async (t) => {
    const steps = ['onFirstStart', 'onStart', 'onStarted'] as const
    for (const [index, hook] of steps.entries()) {
      const log = record(t, { life: false })
      const gate = new Gate()
      const child = new Probe('C', log.add)
      const service = new Probe(
        'S',
        log.add,
        {
          async [hook]() {
            await gate.pass()
            log.add(`${hook} done`)
          },
        },
        [child],
      )
      const starting = outcome(service.start())
      await gate.reached
      log.take()
      const stopping = service.stop()
      t.equal(service.state, 'stopping')
      t.equal(service.started, false)
      await new Promise((resolve) => setImmediate(resolve))
      t.strictSame(log.take(), [], 'the hook is awaited')
      gate.open()
      await stopping
      t.strictSame(
        log.take(),
        [
          ['onFirstStart done'],
          ['onStart done', 'S.onStop', 'S.onShutdown'],
          ['onStarted done', 'S.onStop', 'C.onStop', 'C.onShutdown', 'S.onShutdown'],
        ][index],
      )
      t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING', service: 'S' })
      t.equal(service.state, 'stopped')
      t.strictSame(log.problems, [])
    }
  },
)

void t.test('stop() with a child in the middle of its start: stop order is kept', async (t) => {
  const log = record(t)
  const gate = new Gate()
  const done = new Probe('A', log.add)
  const middle = new Probe('B', log.add, {
    async onStart() {
      await gate.pass()
      log.add('B.onStart done')
    },
  })
  const never = new Probe('C', log.add)
  const parent = new Probe('P', log.add, {}, [done, middle, never])
  const starting = outcome(parent.start())
  await gate.reached
  log.take()
  const stopping = parent.stop()
  t.equal(middle.state, 'stopping', 'it hears of it at once')
  t.equal(middle.shouldStop, true)
  t.equal(middle.signal.aborted, true)
  t.equal(done.state, 'running')
  await new Promise((resolve) => setImmediate(resolve))
  gate.open()
  await stopping
  t.strictSame(log.take(), [
    '[P] Stopping...',
    'B.onStart done',
    'P.onStop',
    '[B] Stopping...',
    'B.onStop',
    '[B] Stopped',
    'B.onShutdown',
    '[B] Shutdown complete!',
    '[A] Stopping...',
    'A.onStop',
    '[A] Stopped',
    'A.onShutdown',
    '[A] Shutdown complete!',
    '[P] Stopped',
    'P.onShutdown',
    '[P] Shutdown complete!',
  ])
  t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING', service: 'P' })
  t.strictSame(
    [parent, done, middle, never].map((service) => service.state),
    ['stopped', 'stopped', 'stopped', 'init'],
  )
  t.strictSame(log.problems, [], 'nothing went wrong')
})

void t.test('stop() with a grandchild that sleeps in its start: the sleeper wakes', async (t) => {
  const log = record(t, { life: false })
  const grandchild = new Probe('G', log.add, {
    async onStart() {
      await this.sleep('1h')
      log.add('woken')
    },
  })
  const parent = new Probe('P', log.add, {}, [new Probe('C', log.add, {}, [grandchild])])
  const starting = outcome(parent.start())
  await new Promise((resolve) => setImmediate(resolve))
  log.take()
  await parent.stop()
  t.strictSame(log.take(), [
    'woken',
    'P.onStop',
    'C.onStop',
    'G.onStop',
    'G.onShutdown',
    'C.onShutdown',
    'P.onShutdown',
  ])
  t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.equal(grandchild.state, 'stopped')
})

void t.test('stop() of a child in the middle of its start waits for it, in its turn', async (t) => {
  const log = record(t, { life: false })
  const gate = new Gate()
  const child = new Probe('C', log.add, { onStart: gate.pass })
  const parent = new Probe('P', log.add, {}, [child])
  const starting = outcome(parent.start())
  await gate.reached
  const stopping = parent.stop()
  const ofChild = child.stop()
  gate.open()
  await ofChild
  t.equal(child.state, 'stopped')
  await stopping
  t.strictSame(log.events.slice(-4), ['P.onStop', 'C.onStop', 'C.onShutdown', 'P.onShutdown'])
  await starting
})

void t.test('siblings that wait for one another in their start do not hold up a stop', async (t) => {
  record(t)
  const gate = new Gate()
  const b = new Probe('B', undefined, { onStart: gate.pass })
  const a = new Probe('A', undefined, {
    async onStart() {
      await b.maybeStart()
    },
  })
  const parent = new Probe('P', undefined, {}, [a, b])
  const starting = outcome(parent.start())
  await gate.reached
  const stopping = parent.stop()
  gate.open()
  await stopping
  t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING', service: 'P' })
  t.strictSame([a.state, b.state], ['stopped', 'stopped'])
})

void t.test('a hook that fails while a stop is under way: logged, and the outcome is the stop', async (t) => {
  const log = record(t, { life: false })
  const gate = new Gate()
  const service = new Probe('S', log.add, { onStart: gate.pass })
  const starting = outcome(service.start())
  await gate.reached
  const stopping = outcome(service.stop())
  gate.throw(new Error('too late'))
  t.equal(await stopping, 'ok')
  t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.equal(service.state, 'stopped')
  t.notOk(log.take().includes('S.onStop'), 'onStart threw')
  t.match(log.problems, [{ err: { message: 'too late' } }])
})

void t.test('stop() in the turn of start(), and from a listener, and from postInit', async (t) => {
  const log = record(t, { life: false })
  const service = new Probe('S', log.add)
  const starting = outcome(service.start())
  await service.stop()
  t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.strictSame(log.take(), ['S.postInit'])
  t.equal(service.state, 'stopped')

  const heard = new Probe('S', log.add)
  heard.onChange(({ state }) => {
    if (state === 'starting') void heard.stop()
  })
  t.match(await outcome(heard.start()), { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.strictSame(log.take(), [])
  t.equal(heard.state, 'stopped')

  for (const hook of ['postInit', 'onInitDependencies'] as const) {
    const inside = new Probe('S', log.add, {
      [hook](this: Probe) {
        void this.stop()
        return []
      },
    })
    t.match(await outcome(inside.start()), { code: 'ERR_STOPPED_WHILE_STARTING' })
    t.notOk(log.take().includes('S.onFirstStart'))
    t.equal(inside.state, 'stopped')
  }
})

void t.test('onFirstStart runs once per instance, when it first gets there', async (t) => {
  const log = record(t, { life: false })
  let stop = true
  const service = new Probe('S', log.add, {
    onInitDependencies() {
      if (stop) void this.stop()
      return []
    },
  })
  await outcome(service.start())
  stop = false
  await service.start()
  t.ok(log.take().includes('S.onFirstStart'), 'a start that was stopped before has not used it up')
  await service.stop()
  await service.start()
  await service.restart()
  await service.crash(new Error('x'))
  await service.start()
  t.notOk(log.take().includes('S.onFirstStart'))
  await service.stop()
})

void t.test('crash() during start: start() rejects with the reason once all is down', async (t) => {
  const log = record(t, { life: false })
  const gate = new Gate()
  const reason = new Error('reason')
  const child = new Probe('C', log.add, { onStart: gate.pass })
  const parent = new Probe('P', log.add, {}, [child])
  const starting = outcome(parent.start())
  await gate.reached
  const crashing = parent.crash(reason)
  t.strictSame([parent.state, child.state], ['crashed', 'crashed'])
  gate.open()
  t.equal(await starting, reason)
  await crashing
  t.strictSame(log.take().slice(-4), ['P.onStop', 'C.onStop', 'C.onShutdown', 'P.onShutdown'])
  t.notOk(log.events.includes('C.onStarted'))
  t.equal(child.crashReason, reason)
})

void t.test('a hook that never ends holds start() and stop() until a budget ends it', async (t) => {
  record(t)
  const service = new Probe('S', undefined, { onStart: forever })
  const starting = outcome(service.start())
  await new Promise((resolve) => setImmediate(resolve))
  t.match(await outcome(service.stop({ timeout: 5 })), {
    code: 'ERR_STOP_TIMEOUT',
    service: 'S',
    phase: 'onStart',
  })
  t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.equal(service.state, 'stopped')
})

void t.test('a stop or crash within any turn of the end of start is not lost', async (t) => {
  const log = record(t)
  for (const verb of ['stop', 'crash'] as const) {
    for (let turns = 0; turns < 12; turns++) {
      let ending = Promise.resolve()
      const end = async (): Promise<void> => {
        for (let turn = 0; turn < turns; turn++) await Promise.resolve()
        ending = verb === 'stop' ? service.stop() : service.crash(new Error('x'))
      }
      const service: Probe = new Probe('S', undefined, {
        async onStarted() {
          leave()
        },
      })
      // Called from outside the hook: from inside it would not wait.
      let leave!: () => void
      const left = new Promise<void>((resolve) => (leave = resolve)).then(end)
      await outcome(service.start())
      await left
      await ending
      t.equal(service.state, verb === 'stop' ? 'stopped' : 'crashed', `${verb} after ${turns} microtasks`)
    }
  }
  t.notOk(log.problems.some(({ err }) => err?.message.startsWith('Bulkhead:')))
})

/** With hooks that are no async functions. */
class Plain extends Service {
  readonly done: string[] = []
  onStartDoes: (service: Plain) => unknown = () => undefined
  onStartedDoes: (service: Plain) => unknown = () => undefined

  protected override onStart(): void {
    void this.onStartDoes(this)
  }
  protected override onStarted(): void {
    this.done.push('onStarted')
    void this.onStartedDoes(this)
  }
}

void t.test('what fails at once fails the start, also after a hook that is no async function', async (t) => {
  const boom = new Error('boom')
  const failing: Record<string, (service: Plain) => unknown> = {
    'a rejected promise': (service) => service.addFuture(Promise.reject(boom)),
    'a function that throws': (service) =>
      service.addFuture(() => {
        throw boom
      }),
    'an async function that throws': (service) =>
      service.addFuture(async () => {
        await Promise.resolve()
        throw boom
      }),
    'a crash in a microtask': (service) => queueMicrotask(() => void service.crash(boom)),
  }
  for (const [what, fail] of Object.entries(failing)) {
    for (const withChild of [false, true]) {
      record(t)
      const child = new Probe('C')
      const early = new Plain({ label: 'S' })
      if (withChild) early.addDependency(child)
      early.onStartDoes = fail
      t.equal(await outcome(early.start()), boom, what)
      t.strictSame(early.done, [], 'onStarted did not run')
      t.equal(child.state, 'init')
    }
    const late = new Plain({ label: 'S' })
    late.onStartedDoes = fail
    t.equal(await outcome(late.start()), boom, `${what}, in onStarted`)
  }
})

void t.test(
  'a stop in a microtask of a hook that is no async function comes before the next hook',
  async (t) => {
    const service = new Plain({ label: 'S' })
    service.onStartDoes = () => queueMicrotask(() => void service.stop())
    t.equal(await code(service.start()), 'ERR_STOPPED_WHILE_STARTING')
    t.strictSame(service.done, [])
  },
)

void t.test(
  'a hook that the author has not written is not called, whoever replaces the default',
  async (t) => {
    const prototype = Service.prototype as unknown as { onStart: () => void }
    const { onStart } = prototype
    t.teardown(() => (prototype.onStart = onStart))
    let patched = 0
    prototype.onStart = () => void (patched += 1)
    const service = new (class extends Service {})()
    await service.start()
    await service.stop()
    t.equal(patched, 1, 'a replacement is')
  },
)

void t.test('onInitDependencies has to return something to iterate', async (t) => {
  record(t)
  class Nothing extends Service {
    protected override onInitDependencies(): Iterable<ServiceLike> {
      return undefined as never
    }
  }
  t.match(await outcome(new Nothing().start()), { message: /iterable/ })
})
