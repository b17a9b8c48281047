import t from 'tap'
import { nodeOf } from '../../src/service/node.ts'
import type { SupervisorLike } from '../../src/service/types.ts'
import { Gate, forever, untilAborted } from '../support/gate.ts'
import { Probe, outcome, resource, settled, throws } from '../support/probe.ts'
import { record } from '../support/record.ts'

void t.test(
  'crash() marks the service, its ancestors and all that is up below them, in the same turn',
  async (t) => {
    record(t)
    const reason = new Error('reason')
    const [x, y, idle] = [new Probe('X'), new Probe('Y'), new Probe('I')]
    const [a, b] = [new Probe('A', undefined, {}, [x]), new Probe('B', undefined, {}, [y])]
    const root = new Probe('R', undefined, {}, [a, b])
    await root.start()
    root.addDependency(idle)
    const all = [root, a, b, x, y]
    const signals = all.map((service) => service.signal)
    const woken = all.map((service) => service.waitUntilStopped())
    const crashing = x.crash(reason)
    for (const [index, service] of all.entries()) {
      t.equal(service.state, 'crashed', service.label)
      t.equal(service.crashReason, reason, 'one object')
      t.equal(service.crashed, true)
      t.equal(service.started, false)
      t.equal(service.shouldStop, true)
      t.equal(signals[index]!.aborted, true)
    }
    t.equal(idle.state, 'init', 'what is not up is left alone')
    await Promise.all(woken)
    await crashing
    await root.stop()
    t.ok(all.every((service) => service.state === 'crashed' && service.crashReason === reason))
  },
)

void t.test('the first that has a supervisor is the last that crashes', async (t) => {
  record(t)
  const c = new Probe('C')
  const b = new Probe('B', undefined, {}, [c])
  const sibling = new Probe('S')
  const a = new Probe('A', undefined, {}, [b, sibling])
  nodeOf(b).supervisedBy(a as unknown as SupervisorLike)
  await a.start()
  t.equal(b.supervisor, a)
  await c.crash(new Error('x'))
  t.strictSame(
    [c, b, a, sibling].map((service) => service.state),
    ['crashed', 'crashed', 'running', 'running'],
  )
  await a.stop()
  t.equal(a.state, 'stopped')
})

void t.test('a supervised child of an ancestor that crashes is marked, too', async (t) => {
  record(t)
  const reason = new Error('x')
  const supervised = new Probe('S')
  const root = new Probe('R', undefined, {}, [supervised])
  nodeOf(supervised).supervisedBy(root as unknown as SupervisorLike)
  await root.start()
  void root.crash(reason)
  t.equal(supervised.crashReason, reason)
  await root.stop()
})

void t.test('the first reason wins', async (t) => {
  record(t)
  const first = new Error('first')
  const child = new Probe('C')
  const root = new Probe('R', undefined, {}, [child])
  await root.start()
  const crashes = [child.crash(first), child.crash(new Error('second')), root.crash(new Error('third'))]
  await Promise.all(crashes)
  t.equal(child.crashReason, first)
  t.equal(root.crashReason, first)
  await root.crash(new Error('fourth'))
  t.equal(root.crashReason, first)
})

void t.test('torn down in stop order, hooks included, from where it began upwards', async (t) => {
  const log = record(t)
  const x = new Probe('X', log.add)
  const a = new Probe('A', log.add, {}, [new Probe('W', log.add), x])
  const root = new Probe('R', log.add, {}, [a, new Probe('B', log.add)])
  await root.start()
  root.use(resource('of R', log.add))
  log.take()
  await x.crash(new Error('x'))
  t.strictSame(
    log.take().slice(0, 5),
    ['[X] Stopping...', 'X.onStop', '[X] Stopped', 'X.onShutdown', '[X] Shutdown complete!'],
    'crash() resolves when its own subtree is down',
  )
  await root.stop()
})

void t.test('the whole order of a teardown', async (t) => {
  const log = record(t, { life: false })
  const x = new Probe('X', log.add)
  const a = new Probe('A', log.add, {}, [new Probe('W', log.add), x])
  const root = new Probe('R', log.add, {}, [a, new Probe('B', log.add)])
  root.addTask('task', async (signal) => {
    await untilAborted(signal)
    log.add('task ended')
  })
  await root.start()
  root.use(resource('of R', log.add))
  log.take()
  void x.crash(new Error('x'))
  await root.stop()
  t.strictSame(log.take(), [
    'X.onStop',
    'X.onShutdown',
    'A.onStop',
    'W.onStop',
    'W.onShutdown',
    'A.onShutdown',
    'R.onStop',
    'B.onStop',
    'B.onShutdown',
    'task ended',
    'dispose of R',
    'R.onShutdown',
  ])
})

void t.test('crash() resolves when its own subtree is down, not that of its ancestors', async (t) => {
  record(t)
  const gate = new Gate()
  const below = new Gate()
  const child = new Probe('C', undefined, {}, [new Probe('G', undefined, { onStop: below.pass })])
  const root = new Probe('R', undefined, { onStop: gate.pass }, [child])
  await root.start()
  const crashing = child.crash(new Error('x'))
  t.notOk(await settled(crashing, 5), 'its own children count')
  below.open()
  await crashing
  t.notOk(await settled(root.stop(), 5), 'stop() on a crashed service waits for its teardown')
  gate.open()
  await root.stop()
})

void t.test('crash() never rejects, errors of the teardown are logged', async (t) => {
  const log = record(t, { life: false })
  const service = new Probe(
    'S',
    log.add,
    { onStop: throws(new Error('of onStop')), onShutdown: throws(new Error('of onShutdown')) },
    [new Probe('C', log.add, { onStop: throws(new Error('of the child')) })],
  )
  await service.start()
  log.take()
  t.equal(await outcome(service.crash(new Error('reason'))), 'ok')
  t.equal(await outcome(service.stop()), 'ok')
  t.strictSame(log.take(), ['S.onStop', 'C.onStop', 'C.onShutdown', 'S.onShutdown'])
  t.strictSame(log.problems.map((line) => String(line.err?.message)).sort(), [
    'of onShutdown',
    'of onStop',
    'of the child',
    'reason',
  ])
  t.equal(service.state, 'crashed')
})

void t.test('a crash during a stop: the stop goes on and resolves, the state ends crashed', async (t) => {
  const log = record(t, { life: false })
  const gate = new Gate()
  const reason = new Error('reason')
  const error = new Error('of the child, before the crash')
  const service = new Probe('S', log.add, { onShutdown: gate.pass }, [
    new Probe('C', log.add, { onStop: throws(error) }),
  ])
  await service.start()
  log.take()
  const stopping = outcome(service.stop())
  await gate.reached
  const crashing = service.crash(reason)
  t.equal(service.state, 'crashed')
  gate.open()
  t.equal(await stopping, 'ok')
  await crashing
  t.equal(service.state, 'crashed')
  t.equal(service.crashReason, reason)
  t.strictSame(log.take(), ['S.onStop', 'C.onStop', 'C.onShutdown', 'S.onShutdown'], 'each hook once')
  t.ok(
    log.problems.some((line) => line.err?.message === error.message),
    'logged, since nobody else is told',
  )
})

void t.test('a child that crashes while its parent stops crashes the parent', async (t) => {
  const log = record(t, { life: false })
  const gate = new Gate()
  const reason = new Error('reason')
  const child = new Probe('C', log.add)
  const parent = new Probe('P', log.add, { onStop: gate.pass }, [child])
  await parent.start()
  log.take()
  const stopping = outcome(parent.stop())
  await gate.reached
  void child.crash(reason)
  t.equal(parent.state, 'crashed')
  gate.open()
  t.equal(await stopping, 'ok')
  t.strictSame([parent.crashReason, child.crashReason], [reason, reason])
  t.strictSame(log.take().sort(), ['C.onShutdown', 'C.onStop', 'P.onShutdown', 'P.onStop'])
})

void t.test('crash() of a service that is not up: logged, nothing changes, never rejects', async (t) => {
  const log = record(t)
  const service = new Probe('S', log.add)
  await service.crash(new Error('early'))
  t.equal(service.state, 'init')
  await service.start()
  await service.stop()
  log.take()
  await service.crash(new Error('late'))
  t.equal(service.state, 'stopped')
  t.strictSame(log.take(), [])
  t.strictSame(
    log.problems.map((line) => line.err?.message),
    ['early', 'late'],
  )
})

void t.test('any reason will do', async (t) => {
  record(t)
  for (const reason of [undefined, null, 'text', 0, Symbol('s'), { a: 1 }]) {
    const service = new Probe('S')
    await service.start()
    await service.crash(reason)
    t.equal(service.state, 'crashed')
    t.equal(service.crashReason, reason)
  }
})

void t.test('sleepers and waiters wake', async (t) => {
  record(t)
  const child = new Probe('C')
  const parent = new Probe('P', undefined, {}, [child])
  await parent.start()
  const waits = [parent, child].flatMap((service) => [
    service.sleep('1h'),
    service.wait(),
    service.wait(forever(), { timeout: '1h' }),
    service.waitUntilStopped(),
    (async () => {
      for await (const _ of service.interval('1h')) t.fail('no tick')
    })(),
  ])
  void child.crash(new Error('x'))
  await Promise.all(waits)
  await parent.stop()
  t.pass()
})

void t.test('stop() on what was marked from above waits for its turn', async (t) => {
  const log = record(t, { life: false })
  const child = new Probe('C', log.add)
  const root = new Probe('R', log.add, {}, [child])
  await root.start()
  log.take()
  const crashing = root.crash(new Error('x'))
  await Promise.all([child.stop(), child.crash(new Error('y'))])
  t.strictSame(log.events.slice(0, 3), ['R.onStop', 'C.onStop', 'C.onShutdown'])
  await crashing
  t.strictSame(log.events.slice(3), ['R.onShutdown'])
})

void t.test('stop({ timeout }) on what was marked from above keeps to its budget', async (t) => {
  record(t)
  const gate = new Gate()
  const child = new Probe('C')
  const root = new Probe('R', undefined, { onStop: gate.pass }, [child])
  await root.start()
  const crashing = root.crash(new Error('x'))
  await child.stop({ timeout: 5 })
  t.equal(child.state, 'crashed')
  gate.open()
  await crashing
})

void t.test(
  'a hook of the teardown that stops or crashes another part of it does not wait for itself',
  async (t) => {
    const log = record(t, { life: false })
    const a = new Probe('A', log.add)
    const b = new Probe('B', log.add, {
      async onStop() {
        await a.stop()
        log.add('B: A.stop() resolved')
      },
    })
    const c = new Probe('C', log.add, {
      async onStop() {
        await a.crash(new Error('y'))
        log.add('C: A.crash() resolved')
      },
    })
    const root = new Probe(
      'R',
      log.add,
      {
        async onStop() {
          await c.stop()
          log.add('R: C.stop() resolved')
        },
      },
      [a, b, c],
    )
    await root.start()
    log.take()
    await root.crash(new Error('x'))
    t.strictSame(log.take(), [
      'R.onStop',
      'C.onStop',
      'C: A.crash() resolved',
      'C.onShutdown',
      'R: C.stop() resolved',
      'B.onStop',
      'A.onStop',
      'A.onShutdown',
      'B: A.stop() resolved',
      'B.onShutdown',
      'R.onShutdown',
    ])
  },
)

void t.test('a task that throws crashes the service with that error', async (t) => {
  record(t)
  const gate = new Gate()
  const error = new Error('task')
  const service = new Probe('S')
  const parent = new Probe('P', undefined, {}, [service])
  service.addTask('work', gate.pass)
  await parent.start()
  gate.throw(error)
  await parent.waitUntilStopped()
  t.strictSame([service.crashReason, parent.crashReason], [error, error])
  await parent.stop()
  t.strictSame(service.pendingWork(), [])
})

void t.test('crash during a restart of a child: what crashed stays down', async (t) => {
  record(t)
  const gate = new Gate()
  const child = new Probe('C', undefined, { onStop: gate.pass })
  const parent = new Probe('P', undefined, {}, [child])
  await parent.start()
  const restarting = outcome(child.restart())
  await gate.reached
  const crashing = parent.crash(new Error('x'))
  gate.open()
  await crashing
  t.match(await restarting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.strictSame([child.state, parent.state], ['crashed', 'crashed'])
})

void t.test('after a teardown, parent and children start again', async (t) => {
  const log = record(t, { life: false })
  const child = new Probe('C', log.add)
  const parent = new Probe('P', log.add, {}, [child])
  await parent.start()
  void child.crash(new Error('x'))
  await parent.stop()
  await parent.start()
  t.strictSame([parent.state, child.state], ['running', 'running'])
  t.equal(child.crashReason, undefined)
  await parent.stop()
  t.strictSame([parent.state, child.state], ['stopped', 'stopped'])
})

void t.test('a hook of a teardown that comes from above joins it, whatever it asks for', async (t) => {
  for (const verb of ['stop', 'restart', 'crash'] as const) {
    const log = record(t, { life: false })
    let first = true
    const child = new Probe('C', log.add, {
      async onStop() {
        if (!first) return
        first = false
        await (verb === 'crash' ? this.crash(new Error('y')) : this[verb]())
      },
    })
    const parent = new Probe('P', log.add, {}, [child])
    await parent.start()
    log.take()
    await parent.crash(new Error('x'))
    await child.stop()
    const events = log.take()
    t.equal(events.indexOf('C.onShutdown'), events.indexOf('C.onStop') + 1, `${verb}: one teardown`)
    t.not(child.state, 'running')
  }
})

void t.test('a crash during a stop takes down what was restarted below after its turn', async (t) => {
  record(t)
  const gate = new Gate()
  const events: string[] = []
  const child = new Probe('child', (event) => void events.push(event))
  const parent = new Probe('parent', undefined, { onShutdown: gate.pass }, [child])
  await parent.start()
  const stopping = parent.stop()
  await gate.reached
  await child.restart()
  const reason = new Error('x')
  const crashing = parent.crash(reason)
  t.equal(child.crashReason, reason)
  events.length = 0
  gate.open()
  await Promise.all([stopping, crashing, child.stop()])
  t.strictSame(events, ['child.onStop', 'child.onShutdown'])
})
