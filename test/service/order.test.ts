import t from 'tap'
import { task } from '../../src/schedule/metadata.ts'
import { Service } from '../../src/service/service.ts'
import { untilAborted } from '../support/gate.ts'
import { Probe, resource } from '../support/probe.ts'
import { record } from '../support/record.ts'

const START = (label: string, ...within: string[]) => [
  `${label}.postInit`,
  `${label}.onInitDependencies`,
  `[${label}] Starting...`,
  `${label}.onStart`,
  ...within,
  `[${label}] Started`,
  `${label}.onStarted`,
]
const STOP = (label: string, ...within: string[]) => [
  `[${label}] Stopping...`,
  `${label}.onStop`,
  ...within,
  `[${label}] Stopped`,
  `${label}.onShutdown`,
  `[${label}] Shutdown complete!`,
]
const withFirst = (events: string[], label: string) =>
  events.flatMap((event) => (event === `[${label}] Starting...` ? [`${label}.onFirstStart`, event] : [event]))

void t.test('start() takes its steps in order and resolves when running', async (t) => {
  const log = record(t)
  const service = new Probe('L', log.add, {
    onStarted() {
      log.add(`state ${this.state} ${this.started}`)
    },
  })
  t.strictSame(log.take(), [], 'no hook runs in the constructor')
  const starting = service.start()
  t.equal(service.state, 'starting', 'at once')
  await starting
  t.strictSame(log.take(), [...withFirst(START('L'), 'L'), 'state starting false'])
  t.equal(service.state, 'running')
  t.equal(service.started, true)
})

void t.test('stop() takes its steps in order and resolves when stopped', async (t) => {
  const log = record(t)
  const service = new Probe('L', log.add, {
    onShutdown() {
      log.add(`state ${this.state} ${this.started}`)
    },
  })
  await service.start()
  log.take()
  const { signal } = service
  const stopping = service.stop()
  t.equal(service.state, 'stopping', 'at once')
  t.equal(service.shouldStop, true)
  t.equal(signal.aborted, true)
  t.equal(service.started, true, 'started until stopped')
  await stopping
  t.strictSame(log.take(), [
    '[L] Stopping...',
    'L.onStop',
    '[L] Stopped',
    'L.onShutdown',
    'state stopping true',
    '[L] Shutdown complete!',
  ])
  t.equal(service.state, 'stopped')
  t.equal(service.started, false)
})

void t.test(
  'children start in order of addition after onStart, and stop in reverse after onStop',
  async (t) => {
    const log = record(t)
    const grandchild = new Probe('G', log.add)
    const first = new Probe('A', log.add, {}, [grandchild])
    const second = new Probe('B', log.add)
    const parent = new Probe('P', log.add, {}, [first, second])
    await parent.start()
    t.strictSame(
      log.take(),
      withFirst(
        START(
          'P',
          ...withFirst(START('A', ...withFirst(START('G'), 'G')), 'A'),
          ...withFirst(START('B'), 'B'),
        ),
        'P',
      ),
    )
    await parent.stop()
    t.strictSame(log.take(), STOP('P', ...STOP('B'), ...STOP('A', ...STOP('G'))))
    t.strictSame(
      [parent, first, second, grandchild].map((service) => service.state),
      ['stopped', 'stopped', 'stopped', 'stopped'],
    )
  },
)

void t.test('children from postInit, onInitDependencies and hooks start in order of addition', async (t) => {
  const log = record(t, { life: false })
  const child = (label: string) => new Probe(label, (event) => event.endsWith('.onStart') && log.add(event))
  const parent = new Probe(
    'P',
    () => {},
    {
      postInit() {
        this.addDependency(child('post'))
      },
      *onInitDependencies() {
        yield child('dep1')
        yield child('dep2')
      },
      onFirstStart() {
        this.addDependency(child('first'))
      },
      onStart() {
        this.addDependency(child('start'))
      },
    },
    [child('own')],
  )
  await parent.start()
  t.strictSame(
    log.take(),
    ['own', 'post', 'dep1', 'dep2', 'first', 'start'].map((label) => `${label}.onStart`),
  )
  t.strictSame(
    parent.children.map((child) => child.label),
    ['own', 'post', 'dep1', 'dep2', 'first', 'start'],
  )
  await parent.stop()
})

void t.test('each child is awaited before the next starts, and hooks are awaited', async (t) => {
  const log = record(t, { life: false })
  const slow = (name: string) => async () => {
    await new Promise((resolve) => setImmediate(resolve))
    log.add(`${name} done`)
  }
  const hooks = (label: string) => ({
    onFirstStart: slow(`${label}.onFirstStart`),
    onStart: slow(`${label}.onStart`),
    onStarted: slow(`${label}.onStarted`),
    onStop: slow(`${label}.onStop`),
    onShutdown: slow(`${label}.onShutdown`),
  })
  const parent = new Probe('P', () => {}, hooks('P'), [
    new Probe('A', () => {}, hooks('A')),
    new Probe('B', () => {}, hooks('B')),
  ])
  await parent.start()
  t.strictSame(
    log.take(),
    ['P.onFirstStart', 'P.onStart', 'A.onFirstStart', 'A.onStart', 'A.onStarted']
      .concat(['B.onFirstStart', 'B.onStart', 'B.onStarted', 'P.onStarted'])
      .map((event) => `${event} done`),
  )
  await parent.stop()
  t.strictSame(
    log.take(),
    ['P.onStop', 'B.onStop', 'B.onShutdown', 'A.onStop', 'A.onShutdown', 'P.onShutdown'].map(
      (event) => `${event} done`,
    ),
  )
})

void t.test(
  'tasks start after onStart and before children, base class first, in definition order',
  async (t) => {
    const log = record(t, { life: false })
    class Base extends Probe {
      @task async zulu(signal: AbortSignal) {
        log.add('task zulu')
        await untilAborted(signal)
        log.add('end zulu')
      }
      @task async alpha(signal: AbortSignal) {
        log.add('task alpha')
        await untilAborted(signal)
        log.add('end alpha')
      }
    }
    class Derived extends Base {
      @task async mike(signal: AbortSignal) {
        log.add('task mike')
        await untilAborted(signal)
        log.add('end mike')
      }
    }
    const service = new Derived('L', log.add, {}, [new Probe('C', log.add)])
    await service.start()
    t.strictSame(log.take(), [
      'L.postInit',
      'L.onInitDependencies',
      'L.onFirstStart',
      'L.onStart',
      'task zulu',
      'task alpha',
      'task mike',
      'C.postInit',
      'C.onInitDependencies',
      'C.onFirstStart',
      'C.onStart',
      'C.onStarted',
      'L.onStarted',
    ])
    await service.stop()
    t.strictSame(log.take(), [
      'L.onStop',
      'C.onStop',
      'C.onShutdown',
      'end mike',
      'end alpha',
      'end zulu',
      'L.onShutdown',
    ])
  },
)

void t.test(
  'tasks are cancelled before "Stopped", gathered after, then resources go, last first',
  async (t) => {
    const log = record(t)
    const service = new Probe('L', log.add)
    service.addTask('work', async (signal) => {
      signal.addEventListener('abort', () => log.add('cancelled'))
      await untilAborted(signal)
      await new Promise((resolve) => setImmediate(resolve))
      log.add('work ended')
    })
    await service.start()
    service.use(resource('one', log.add))
    service.use({ [Symbol.dispose]: () => log.add('dispose two') })
    service.use(resource('three', log.add))
    log.take()
    await service.stop()
    t.strictSame(log.take(), [
      '[L] Stopping...',
      'L.onStop',
      'cancelled',
      '[L] Stopped',
      'work ended',
      'dispose three',
      'dispose two',
      'dispose one',
      'L.onShutdown',
      '[L] Shutdown complete!',
    ])
  },
)

void t.test('waitForShutdown waits between "Stopped" and the gathering', async (t) => {
  const log = record(t)
  const service = new Probe('L', log.add)
  service.waitForShutdown = true
  service.addTask('work', async (signal) => {
    await untilAborted(signal)
    log.add('cancelled')
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    log.add('setShutdown')
    service.setShutdown()
    await new Promise((resolve) => setImmediate(resolve))
    log.add('work ended')
  })
  await service.start()
  log.take()
  await service.stop()
  t.strictSame(log.take(), [
    '[L] Stopping...',
    'L.onStop',
    '[L] Stopped',
    'cancelled',
    'setShutdown',
    'work ended',
    'L.onShutdown',
    '[L] Shutdown complete!',
  ])
})

void t.test(
  'the log speaks of the stop before the signal, and the signal is there before onStop',
  async (t) => {
    const log = record(t)
    const service = new Probe('L', log.add)
    await service.start()
    log.take()
    service.signal.addEventListener('abort', () => log.add('signal'))
    await service.stop()
    t.strictSame(log.take().slice(0, 3), ['[L] Stopping...', 'signal', 'L.onStop'])
  },
)

void t.test('children work until their turn: their signals abort after onStop of the parent', async (t) => {
  const log = record(t, { life: false })
  const child = new Probe('C', log.add)
  const parent = new Probe(
    'P',
    log.add,
    {
      onStop() {
        log.add(`child is ${child.state}, ${child.signal.aborted}`)
      },
    },
    [child],
  )
  await parent.start()
  log.take()
  await parent.stop()
  t.strictSame(log.take(), [
    'P.onStop',
    'child is running, false',
    'C.onStop',
    'C.onShutdown',
    'P.onShutdown',
  ])
})

void t.test('restart(): stop, postInit, onRestart, start without onFirstStart', async (t) => {
  const log = record(t)
  const child = new Probe('C', log.add)
  const service = new Probe('L', log.add, {}, [child])
  await service.start()
  log.take()
  await service.restart()
  t.strictSame(log.take(), [
    ...STOP('L', ...STOP('C')),
    'L.postInit',
    'L.onRestart',
    'L.onInitDependencies',
    '[L] Starting...',
    'L.onStart',
    ...START('C'),
    '[L] Started',
    'L.onStarted',
  ])
  t.equal(service.restartCount, 1)
  t.equal(child.restartCount, 0, 'a plain start for the child')
  t.equal(service.state, 'running')
  await service.stop()
})

void t.test(
  'a plain start() after a stop is a new run: postInit, no onRestart, no onFirstStart',
  async (t) => {
    const log = record(t)
    const service = new Probe('L', log.add)
    await service.start()
    await service.stop()
    log.take()
    await service.start()
    t.strictSame(log.take(), START('L'))
    t.equal(service.restartCount, 0)
    await service.stop()
  },
)

void t.test('a plain start() after a crash is a new run too', async (t) => {
  const log = record(t)
  const service = new Probe('L', log.add)
  await service.start()
  await service.crash(new Error('broken'))
  log.take()
  await service.start()
  t.strictSame(log.take(), START('L'))
  t.equal(service.crashReason, undefined)
  t.equal(service.state, 'running')
  await service.stop()
})

void t.test('postInit sees the fields of the subclass', async (t) => {
  let seen: unknown
  class Late extends Service {
    field = 'set'
    protected override postInit() {
      seen = this.field
    }
  }
  record(t)
  const service = new Late()
  await service.start()
  t.equal(seen, 'set')
  await service.stop()
})

void t.test('life-cycle lines: shortLabel, level, name, path', async (t) => {
  class Named extends Service {
    override get shortLabel() {
      return 'short'
    }
    override lifecycleLevel = 'debug' as const
  }
  const log = record(t, { level: 'debug' })
  const parent = new Probe('P', () => {}, {}, [new Named({ label: 'long' })])
  await parent.start()
  await parent.stop()
  const own = log.lines.filter((line) => line.service === 'P/long')
  t.strictSame(
    own.map((line) => line.msg),
    [
      '[short] Starting...',
      '[short] Started',
      '[short] Stopping...',
      '[short] Stopped',
      '[short] Shutdown complete!',
    ],
  )
  t.ok(own.every((line) => line.level === 20 && line.name === 'Named'))
})

void t.test('the label is the class name unless given', (t) => {
  class Hasher extends Service {}
  t.equal(new Hasher().label, 'Hasher')
  t.equal(new Hasher({ label: 'h' }).label, 'h')
  t.equal(new Hasher({ label: 'h' }).shortLabel, 'h')
  t.end()
})
