import t from 'tap'
import { NODE } from '../../src/service/node.ts'
import { Gate } from '../support/gate.ts'
import { Probe, outcome, throws } from '../support/probe.ts'
import { record } from '../support/record.ts'

void t.test('restart() from each state', async (t) => {
  const log = record(t, { life: false })
  const service = new Probe('S', log.add)
  await service.restart()
  t.equal(service.state, 'running', 'from init')
  t.strictSame(log.take(), [
    'S.postInit',
    'S.onRestart',
    'S.onInitDependencies',
    'S.onFirstStart',
    'S.onStart',
    'S.onStarted',
  ])
  await service.restart()
  await service.stop()
  await service.restart()
  t.equal(service.state, 'running', 'from stopped')
  await service.crash(new Error('x'))
  await service.restart()
  t.equal(service.state, 'running', 'from crashed')
  t.equal(service.crashReason, undefined)
  t.equal(service.restartCount, 4)
  await service.stop()
})

void t.test('restart() during a teardown waits for it', async (t) => {
  record(t)
  const gate = new Gate()
  let first = true
  const service = new Probe('S', undefined, {
    onStop() {
      if (!first) return undefined
      first = false
      return gate.pass()
    },
  })
  await service.start()
  const crashing = service.crash(new Error('x'))
  const restarting = service.restart()
  await gate.reached
  t.equal(service.state, 'crashed')
  gate.open()
  await restarting
  t.equal(service.state, 'running')
  await crashing
  await service.stop()
})

void t.test('restart() during a start: the start is told, then a new run', async (t) => {
  const log = record(t, { life: false })
  const gate = new Gate()
  let first = true
  const service = new Probe('S', log.add, {
    onStart() {
      if (!first) return undefined
      first = false
      return gate.pass()
    },
  })
  const starting = outcome(service.start())
  await gate.reached
  const restarting = service.restart()
  gate.open()
  await restarting
  t.match(await starting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.equal(service.state, 'running')
  await service.stop()
})

void t.test('errors of the stop are logged, the restart goes on', async (t) => {
  const log = record(t)
  const service = new Probe('S', log.add, { onStop: throws(new Error('of onStop')) }, [
    new Probe('C', log.add, { onShutdown: throws(new Error('of the child')) }),
  ])
  await service.start()
  await service.restart()
  t.equal(service.state, 'running')
  t.match(
    log.problems.map((line) => line.err?.message),
    ['of onStop', 'of the child'],
  )
  await outcome(service.stop())
})

void t.test('a restart whose start fails rejects with that error', async (t) => {
  record(t)
  for (const hook of ['postInit', 'onRestart', 'onStart', 'onStarted'] as const) {
    let fail = false
    const error = new Error(hook)
    const service = new Probe('S', undefined, {
      [hook]() {
        if (fail) throw error
      },
    })
    await service.start()
    fail = true
    t.equal(await outcome(service.restart()), error, hook)
    t.equal(service.state, 'crashed')
    t.equal(service.crashReason, error)
    fail = false
    await service.restart()
    t.equal(service.state, 'running')
    await service.stop()
  }
})

void t.test('a restart() that arrives while one is under way joins it', async (t) => {
  const log = record(t, { life: false })
  const [stop, start] = [new Gate(), new Gate()]
  let run = 0
  const service = new Probe('S', log.add, {
    onStart: () => (++run === 2 ? start.pass() : undefined),
    onStop: () => (run === 1 ? stop.pass() : undefined),
  })
  await service.start()
  log.take()
  const restarts = [service.restart(), service.restart()]
  await stop.reached
  restarts.push(service.restart())
  stop.open()
  await start.reached
  restarts.push(service.restart())
  start.open()
  await Promise.all(restarts)
  t.equal(service.restartCount, 1)
  t.equal(log.take().filter((event) => event === 'S.onStart').length, 1)
  await service.stop()
})

void t.test('start() and maybeStart() while a restart is under way', async (t) => {
  record(t)
  const gate = new Gate()
  let run = 0
  const service = new Probe('S', undefined, {
    onStart: () => void run++,
    onStop: () => (run === 1 ? gate.pass() : undefined),
  })
  await service.start()
  const restarting = service.restart()
  await gate.reached
  t.match(await outcome(service.start()), { code: 'ERR_INVALID_STATE' })
  const joined = service.maybeStart()
  gate.open()
  t.equal(await joined, false)
  t.equal(service.state, 'running')
  await restarting
  await service.stop()
})

void t.test('stop() during a restart means stopped', async (t) => {
  const log = record(t, { life: false })
  const gate = new Gate()
  const service = new Probe('S', log.add, { onStop: gate.pass })
  await service.start()
  const restarting = outcome(service.restart())
  await gate.reached
  const stopping = service.stop()
  log.take()
  gate.open()
  await stopping
  t.equal(service.state, 'stopped')
  t.match(await restarting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.equal(service.state, 'stopped')
  t.strictSame(log.take(), ['S.onShutdown'])
  t.equal(service.restartCount, 0)
})

void t.test('right after such a stop(), start() is legal', async (t) => {
  record(t)
  const gate = new Gate()
  let run = 0
  const service = new Probe('S', undefined, {
    onStart: () => void run++,
    onStop: () => (run === 1 ? gate.pass() : undefined),
  })
  await service.start()
  const restarting = outcome(service.restart())
  await gate.reached
  const again = service.stop().then(() => service.start())
  gate.open()
  await again
  t.equal(service.state, 'running')
  await restarting
  t.equal(service.state, 'running')
  t.equal(run, 2)
  await service.stop()
})

void t.test('stop() while the restart starts: the restart rejects, a later one works', async (t) => {
  record(t)
  const gate = new Gate()
  let run = 0
  const service = new Probe('S', undefined, { onStart: () => (++run === 2 ? gate.pass() : undefined) })
  await service.start()
  const restarting = outcome(service.restart())
  await gate.reached
  const stopping = service.stop()
  const later = service.restart()
  gate.open()
  await stopping
  t.match(await restarting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  await later
  t.equal(service.state, 'running')
  t.equal(run, 3)
  await service.stop()
})

void t.test('a child that is being restarted stays down when its parent stops', async (t) => {
  record(t)
  const gate = new Gate()
  const child = new Probe('C', undefined, { onStop: gate.pass })
  const parent = new Probe('P', undefined, {}, [child])
  await parent.start()
  const restarting = outcome(child.restart())
  await gate.reached
  const stopping = parent.stop()
  gate.open()
  await stopping
  t.match(await restarting, { code: 'ERR_STOPPED_WHILE_STARTING' })
  t.strictSame([child.state, parent.state], ['stopped', 'stopped'])
})

void t.test('a child that is being restarted when its parent restarts runs once', async (t) => {
  const log = record(t, { life: false })
  const gate = new Gate()
  let run = 0
  const child = new Probe('C', log.add, {
    onStart: () => void run++,
    onStop: () => (run === 1 ? gate.pass() : undefined),
  })
  const parent = new Probe('P', log.add, {}, [child])
  await parent.start()
  const ofChild = outcome(child.restart())
  await gate.reached
  const restarting = parent.restart()
  gate.open()
  await restarting
  await ofChild
  t.strictSame([child.state, parent.state], ['running', 'running'])
  t.equal(run, 2)
  await parent.stop()
})

void t.test('three restarts leave as many children as one start', async (t) => {
  record(t)
  const kept = new Probe('kept')
  let made: Probe[] = []
  const child = (label: string): Probe => {
    const fresh = new Probe(label)
    made.push(fresh)
    return fresh
  }
  const service: Probe = new Probe(
    'S',
    undefined,
    {
      init() {
        this.addDependency(new Probe('init'))
      },
      postInit() {
        this.addDependency(child('postInit'))
      },
      onInitDependencies: () => [child('dependency')],
      onFirstStart() {
        this.addDependency(child('firstStart'))
      },
      onStart() {
        this.addDependency(child('start'))
      },
      async onStarted() {
        await this.addRuntimeDependency(child('started'))
      },
      onRestart() {
        this.addDependency(child('restart'))
      },
      onStop() {
        this.addDependency(child('stop'))
      },
      onShutdown() {
        this.addDependency(child('shutdown'))
      },
    },
    [kept],
  )
  service.addTask('work', async () => {
    await service.addRuntimeDependency(child('task'))
  })
  const labels = (): string[] => service.children.map((each) => each.label).sort()
  await service.start()
  service.addDependency(child('outside'))
  t.strictSame(
    labels(),
    ['dependency', 'firstStart', 'init', 'kept', 'outside', 'postInit', 'start', 'started', 'task'].sort(),
  )
  await service.stop()
  t.strictSame(labels(), ['init', 'kept'], 'what was added during the run is dropped')
  t.ok(
    made.every((each) => each.beacon.parent === undefined && each.state !== 'running'),
    'and down',
  )
  service.addDependency(new Probe('while stopped'))
  await service.start()
  const afterStart = labels()
  t.strictSame(
    afterStart,
    ['dependency', 'init', 'kept', 'postInit', 'start', 'started', 'task', 'while stopped'].sort(),
  )
  for (let restart = 0; restart < 3; restart++) {
    made = []
    await service.restart()
    t.strictSame(labels(), [...afterStart, 'restart'].sort())
  }
  await service.crash(new Error('x'))
  t.strictSame(labels(), ['init', 'kept', 'while stopped'])
  await service.start()
  t.strictSame(labels(), afterStart)
  await service.stop()
})

void t.test('the same child given in each run, and grandchildren', async (t) => {
  record(t)
  const grandchild = new Probe('G')
  const child = new Probe('C', undefined, { onInitDependencies: () => [grandchild] })
  const parent = new Probe('P', undefined, { onInitDependencies: () => [child, child] })
  await parent.start()
  for (let restart = 0; restart < 3; restart++) await parent.restart()
  t.strictSame(
    [...parent.beacon.traverse()].map((beacon) => beacon.path),
    ['P', 'P/C', 'P/C/G'],
  )
  t.equal(child.restartCount, 0)
  await parent.stop()
  t.strictSame(parent.children, [])
  t.strictSame(child.children, [])
})

void t.test(
  'tasks of each run: none twice, addTask before start stays, during a run it is of that run',
  async (t) => {
    record(t)
    const ran: string[] = []
    const service = new Probe('S')
    service.addTask('stays', async () => void ran.push('stays'))
    await service.start()
    service.addTask('once', async () => void ran.push('once'))
    await service.restart()
    await service.restart()
    t.strictSame(ran, ['stays', 'once', 'stays', 'stays'])
    await service.stop()
  },
)

void t.test('the signal is new in each run', async (t) => {
  record(t)
  const service = new Probe('S')
  await service.start()
  const { signal } = service
  t.equal(service.signal, signal)
  await service.restart()
  t.ok(signal.aborted)
  t.notOk(service.signal.aborted)
  await service.stop()
  t.ok(service.signal.aborted)
  t.equal(service[NODE].restarting, undefined)
})
