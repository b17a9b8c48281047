import t, { type Test } from 'tap'
import { Gate, forever, untilAborted } from '../support/gate.ts'
import { Probe, type HookName, outcome, settled } from '../support/probe.ts'
import { record } from '../support/record.ts'

type Verb = 'stop' | 'crash' | 'restart'
const REASON = new Error('reason')

function act(verb: Verb, service: Probe): Promise<void> {
  return verb === 'crash' ? service.crash(REASON) : service[verb]()
}
const AFTER = { stop: 'stopped', crash: 'crashed', restart: 'running' } as const
const AT_ONCE = { stop: 'stopping', crash: 'crashed', restart: 'stopping' } as const

async function endsAs(t: Test, service: Probe, verb: Verb): Promise<void> {
  const wanted = AFTER[verb]
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.equal(service.state, wanted, `${service.label} is ${wanted} after ${verb}()`)
  await service.stop()
}

for (const verb of ['stop', 'crash', 'restart'] as const) {
  void t.test(
    `${verb}() from a task resolves once the state has changed, and waits for the task`,
    async (t) => {
      const log = record(t, { life: false })
      const gate = new Gate()
      const service = new Probe('S', log.add)
      let first = true
      service.addTask('work', async (signal) => {
        if (!first) return untilAborted(signal)
        first = false
        await gate.pass()
        const acting = act(verb, service)
        log.add(`at once ${service.state}`)
        await acting
        log.add(`resolved ${service.state}`)
        await untilAborted(signal)
        await new Promise((resolve) => setImmediate(resolve))
        log.add('work ended')
      })
      await service.start()
      log.take()
      gate.open()
      await service.waitUntilStopped()
      await new Promise((resolve) => setImmediate(resolve))
      await endsAs(t, service, verb)
      const events = log.take()
      t.strictSame(events.slice(0, 5).sort(), [
        'S.onShutdown',
        'S.onStop',
        `at once ${AT_ONCE[verb]}`,
        `resolved ${AT_ONCE[verb]}`,
        'work ended',
      ])
      t.ok(events.indexOf('work ended') < events.indexOf('S.onShutdown'))
    },
  )

  void t.test(`${verb}() from a future, and from a callback of it`, async (t) => {
    record(t)
    const service = new Probe('S')
    await service.start()
    await service.addFuture(() => act(verb, service))
    await endsAs(t, service, verb)

    const other = new Probe('S')
    await other.start()
    await other.addFuture(
      () => new Promise<void>((resolve) => setTimeout(() => void act(verb, other).then(resolve), 1)),
    )
    await endsAs(t, other, verb)
  })

  for (const hook of ['onFirstStart', 'onStart', 'onStarted'] as const satisfies HookName[]) {
    void t.test(`${verb}() from ${hook}: no deadlock`, async (t) => {
      const log = record(t, { life: false })
      let first = true
      const service = new Probe('S', log.add, {
        async [hook](this: Probe) {
          if (!first) return
          first = false
          await act(verb, this)
          log.add('resolved')
        },
      })
      const starting = outcome(service.start())
      t.ok(await settled(starting))
      if (verb === 'crash') t.equal(await starting, REASON)
      else t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
      await endsAs(t, service, verb)
      t.ok(log.events.includes('resolved'))
    })
  }

  for (const hook of ['onStop', 'onShutdown'] as const) {
    void t.test(`${verb}() from ${hook}: no deadlock`, async (t) => {
      record(t)
      let first = true
      const service = new Probe('S', undefined, {
        async [hook](this: Probe) {
          if (!first) return
          first = false
          await act(verb, this)
        },
      })
      await service.start()
      const stopping = outcome(service.stop())
      t.ok(await settled(stopping))
      t.equal(await stopping, 'ok')
      await endsAs(t, service, verb)
    })
  }

  void t.test(`${verb}() of the parent from a child's task and hooks`, async (t) => {
    for (const place of ['task', 'onStart', 'onStarted', 'onStop', 'future'] as const) {
      record(t)
      let first = true
      const parent: Probe = new Probe('P')
      const once = async (): Promise<void> => {
        if (!first) return
        first = false
        await act(verb, parent)
      }
      const child = new Probe('C', undefined, place === 'task' || place === 'future' ? {} : { [place]: once })
      if (place === 'task') {
        child.addTask('work', async (signal) => {
          await parent.wait(untilStarted(parent))
          await once()
          await untilAborted(signal)
        })
      }
      parent.addDependency(child)
      await outcome(parent.start())
      if (place === 'future') await child.addFuture(once)
      if (place === 'onStop') await outcome(parent.stop())
      await endsAs(t, parent, verb)
      t.equal(child.children.length, 0)
    }
  })
}

function untilStarted(service: Probe): Promise<void> {
  return new Promise((resolve) => {
    if (service.started) resolve()
    else service.onChange(({ state }) => state === 'running' && resolve())
  })
}

void t.test('the parent waits for a child that it stops from its own task', async (t) => {
  record(t)
  const gate = new Gate()
  const child = new Probe('C', undefined, { onStop: gate.pass })
  const parent = new Probe('P', undefined, {}, [child])
  await parent.start()
  const stopping = parent.addFuture(() => child.stop())
  t.notOk(await settled(stopping, 5), 'it is no part of the subtree of the child')
  gate.open()
  await stopping
  t.equal(child.state, 'stopped')
  await parent.stop()
})

void t.test('hooks of a stop that a child asked for wait for the child as ever', async (t) => {
  const log = record(t, { life: false })
  const child = new Probe('C', log.add, {
    onShutdown: () => new Promise<void>((resolve) => setImmediate(resolve)),
  })
  const parent: Probe = new Probe(
    'P',
    log.add,
    {
      async onStop() {
        await child.stop()
        log.add(`C is ${child.state}`)
      },
    },
    [child],
  )
  await parent.start()
  log.take()
  await child.addFuture(() => parent.stop())
  await parent.stop()
  t.strictSame(log.take(), ['P.onStop', 'C.onStop', 'C.onShutdown', 'C is stopped', 'P.onShutdown'])
})

void t.test('a listener is not inside, whoever caused the change', async (t) => {
  record(t)
  const service = new Probe('S')
  let restarted: Promise<unknown> | undefined
  service.onChange(({ state }) => {
    if (state !== 'crashed') return
    restarted = (async () => {
      await service.stop()
      await service.start()
    })()
  })
  await service.start()
  await service.addFuture(() => service.crash(REASON))
  t.equal(await outcome(restarted!), 'ok', 'stop() waited for the end of the teardown')
  t.equal(service.state, 'running')
  await service.stop()
})

void t.test('an error of a stop from inside is logged, as nobody is told', async (t) => {
  const log = record(t)
  const error = new Error('in onStop')
  const service = new Probe('S', undefined, {
    onStop() {
      throw error
    },
  })
  await service.start()
  await service.addFuture(() => service.stop())
  t.equal(await outcome(service.stop()), error, 'a caller from outside gets it')
  t.match(log.problems, [{ err: { message: 'in onStop' } }])
})

void t.test('a failed restart from inside is logged', async (t) => {
  const log = record(t)
  let runs = 0
  const service = new Probe('S', undefined, {
    onStart() {
      if (++runs === 2) throw new Error('second run')
    },
  })
  await service.start()
  await service.addFuture(() => service.restart())
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.equal(service.state, 'crashed')
  t.match(log.problems, [{ err: { message: 'second run' } }])
})

void t.test('removeDependency() from a task of the child: it stays until it is down', async (t) => {
  record(t)
  const gate = new Gate()
  const child = new Probe('C', undefined, { onStop: gate.pass })
  const parent = new Probe('P', undefined, {}, [child])
  await parent.start()
  await child.addFuture(() => parent.removeDependency(child))
  t.equal(child.state, 'stopping')
  const stopping = parent.stop()
  t.notOk(await settled(stopping, 5), 'the parent still waits for it')
  gate.open()
  await stopping
  t.equal(child.state, 'stopped')
  t.strictSame(parent.children, [])
})

void t.test('no second live run, however many restarts a task asks for', async (t) => {
  record(t)
  let live = 0
  let most = 0
  let runs = 0
  const service = new Probe('S')
  const fifth = new Gate()
  service.addTask('work', async (signal) => {
    most = Math.max(most, ++live)
    // A restart before that would have start() reject, as it should.
    while (service.state === 'starting') await service.sleep(1)
    if (++runs < 5) {
      void service.restart()
      await service.restart()
    } else fifth.open()
    await untilAborted(signal)
    live--
  })
  await service.start()
  await fifth.pass()
  t.equal(most, 1)
  t.equal(runs, 5)
  t.equal(service.restartCount, 4)
  await service.stop()
  t.equal(live, 0)
})

void t.test('a task that awaits stop() and never ends is abandoned by a budget', async (t) => {
  record(t)
  const service = new Probe('S')
  service.addTask('work', async () => {
    await service.stop()
    await forever()
  })
  const starting = outcome(service.start())
  await service.waitUntilStopped()
  t.match(await outcome(service.stop({ timeout: 5 })), { code: 'ERR_STOP_TIMEOUT', phase: 'futures' })
  t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
})
