import t from 'tap'
import { NODE, nodeOf } from '../../src/service/node.ts'
import type { StateChange } from '../../src/service/types.ts'
import { Gate } from '../support/gate.ts'
import { Probe, outcome } from '../support/probe.ts'
import { record } from '../support/record.ts'

void t.test('adding a child twice does nothing', (t) => {
  const [parent, child] = [new Probe('P'), new Probe('C')]
  t.equal(parent.addDependency(child), child)
  t.equal(parent.addDependency(child), child)
  t.strictSame(parent.children, [child])
  t.equal(child.beacon.path, 'P/C')
  t.end()
})

void t.test('a child added again during a run stays a child for good', async (t) => {
  record(t)
  const child = new Probe('C')
  const parent = new Probe('P', undefined, { onInitDependencies: () => [child] }, [child])
  await parent.start()
  await parent.stop()
  t.strictSame(parent.children, [child])
})

void t.test('a child that has another parent is refused, and a cycle', async (t) => {
  record(t)
  const [a, b, c] = [new Probe('A'), new Probe('B'), new Probe('C')]
  a.addDependency(b)
  b.addDependency(c)
  t.throws(() => new Probe('X').addDependency(b), { code: 'ERR_HAS_PARENT', message: /A\/B.*A/ })
  t.throws(() => a.addDependency(c), { code: 'ERR_HAS_PARENT' })
  t.throws(() => a.addDependency(a), { code: 'ERR_CYCLE' })
  t.throws(() => c.addDependency(a), { code: 'ERR_CYCLE', message: /A/ })
  t.throws(() => c.addDependency(b), { code: 'ERR_CYCLE' })
  t.throws(() => a.addDependency({} as Probe), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => a.addDependency(undefined as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.match(await outcome(a.addRuntimeDependency(a)), { code: 'ERR_CYCLE' })
  t.strictSame([a.children, b.children, c.children], [[b], [c], []])
})

void t.test('removeDependency() stops and detaches', async (t) => {
  record(t)
  const error = new Error('onStop')
  const [child, failing, foreign] = [
    new Probe('C'),
    new Probe('F', undefined, { onStop: () => Promise.reject(error) }),
    new Probe('X'),
  ]
  const parent = new Probe('P', undefined, {}, [child, failing])
  await parent.start()
  t.equal(await parent.removeDependency(child), child)
  t.equal(child.state, 'stopped')
  t.equal(child.beacon.path, 'C')
  t.equal(await outcome(parent.removeDependency(failing)), error)
  t.strictSame(parent.children, [], 'detached all the same')
  t.equal(await parent.removeDependency(foreign), foreign)
  new Probe('other').addDependency(child)
  t.equal(child.beacon.path, 'other/C')
  t.equal(parent.state, 'running')
  await parent.stop()
})

void t.test('beacon: data, parent, root, children, depth, path, walk, traverse', (t) => {
  const [g, c1, c2] = [new Probe('G'), new Probe('C'), new Probe('C')]
  const root = new Probe('R', undefined, {}, [c1, c2])
  c1.addDependency(g)
  t.equal(root.beacon.data, root)
  t.equal(root.beacon.root, root.beacon)
  t.equal(root.beacon.parent, undefined)
  t.equal(root.beacon.depth, 0)
  t.equal(g.beacon.depth, 2)
  t.equal(g.beacon.root, root.beacon)
  t.equal(g.beacon.parent, c1.beacon)
  t.strictSame(
    [c1, c2, g].map((each) => each.beacon.path),
    ['R/C', 'R/C#2', 'R/C/G'],
  )
  t.strictSame(
    [...g.beacon.walk()].map((beacon) => beacon.data),
    [g, c1, root],
  )
  t.strictSame(
    [...root.beacon.traverse()].map((beacon) => beacon.data),
    [root, c1, c2, g],
  )
  t.match(root.beacon.toTree(), /R \(init\)/)
  t.end()
})

void t.test('children is a view that nobody can use to change the service', (t) => {
  const parent = new Probe('P', undefined, {}, [new Probe('C')])
  ;(parent.children as unknown[]).length = 0
  t.equal(parent.children.length, 1)
  t.end()
})

// ---- onChange

const states = (changes: StateChange[]): string[] =>
  changes.map(({ previous, state }) => `${previous} ${state}`)

void t.test('onChange tells of every change of state, with the reason of a crash', async (t) => {
  record(t)
  const service = new Probe('S')
  const changes: StateChange[] = []
  service.onChange((change) => changes.push(change))
  await service.start()
  await service.stop()
  t.strictSame(states(changes.splice(0)), [
    'init starting',
    'starting running',
    'running stopping',
    'stopping stopped',
  ])
  await service.start()
  changes.length = 0
  const reason = new Error('x')
  await service.crash(reason)
  t.strictSame(changes, [{ state: 'crashed', previous: 'running', reason }])
})

void t.test('unsubscribed is unsubscribed, also in the middle of a change; twice is twice', async (t) => {
  record(t)
  const service = new Probe('S')
  const heard: string[] = []
  const listener = ({ state }: StateChange): void => void heard.push(state)
  const first = service.onChange(listener)
  service.onChange(listener)
  await service.start()
  t.strictSame(heard.splice(0), ['starting', 'starting', 'running', 'running'])
  first()
  first()
  await service.stop()
  t.strictSame(heard.splice(0), ['stopping', 'stopped'])
  const offs: (() => void)[] = []
  const other = new Probe('S')
  other.onChange(() => offs[0]!())
  offs.push(other.onChange(() => t.fail('was unsubscribed')))
  await other.start()
  await other.stop()
})

void t.test('a listener that throws is logged, and keeps nothing from anybody', async (t) => {
  const log = record(t)
  const service = new Probe('S')
  const heard: string[] = []
  service.onChange(() => {
    throw new Error('listener')
  })
  service.onChange(({ state }) => heard.push(state))
  await service.start()
  await service.stop()
  t.strictSame(heard, ['starting', 'running', 'stopping', 'stopped'])
  t.equal(log.problems.length, 4)
})

void t.test('a listener that steers at once: all hear of all changes, in order', async (t) => {
  record(t)
  for (const [on, verb, expected] of [
    ['running', 'stop', ['starting', 'running', 'stopping', 'stopped']],
    ['running', 'crash', ['starting', 'running', 'crashed']],
    ['starting', 'stop', ['starting', 'stopping', 'stopped']],
    ['starting', 'crash', ['starting', 'crashed']],
    ['stopping', 'crash', ['starting', 'running', 'stopping', 'crashed']],
    ['stopping', 'stop', ['starting', 'running', 'stopping', 'stopped']],
  ] as const) {
    const service = new Probe('S')
    const [before, after]: [string[], string[]] = [[], []]
    const acts: Promise<unknown>[] = []
    service.onChange(({ state }) => before.push(state))
    service.onChange(({ state }) => {
      if (state === on) acts.push(outcome(verb === 'stop' ? service.stop() : service.crash(new Error('x'))))
    })
    service.onChange(({ state }) => after.push(state))
    await outcome(service.start())
    await service.stop()
    await Promise.all(acts)
    t.strictSame(before, expected, `${verb} on ${on}`)
    t.strictSame(after, expected, `${verb} on ${on}, listeners after it`)
  }
})

void t.test('a listener on "stopped" may start it again', async (t) => {
  record(t)
  const service = new Probe('S')
  let again: Promise<void> | undefined
  service.onChange(({ state }) => {
    if (state === 'stopped' && !again) again = service.start()
  })
  await service.start()
  await service.stop()
  await again
  t.equal(service.state, 'running')
  await service.stop()
})

void t.test('who hears of a crash sees all that crashed', async (t) => {
  record(t)
  const [a, b] = [new Probe('A'), new Probe('B')]
  const root = new Probe('R', undefined, {}, [a, b])
  await root.start()
  const all = [root, a, b]
  let heard = 0
  for (const service of all) {
    service.onChange(() => {
      heard++
      t.ok(all.every((each) => each.crashed))
    })
  }
  void a.crash(new Error('x'))
  t.equal(heard, 3)
  await root.stop()
})

void t.test('asyncDispose stops it', async (t) => {
  record(t)
  const service = new Probe('S')
  await service.start()
  await service[Symbol.asyncDispose]()
  t.equal(service.state, 'stopped')
})

void t.test('supervisor is undefined unless set, and shown', (t) => {
  const service = new Probe('S')
  t.equal(service.supervisor, undefined)
  nodeOf(service).supervisedBy(service as never)
  t.equal(service.supervisor, service)
  t.equal(service[NODE], nodeOf(service))
  t.end()
})

void t.test('before it starts', (t) => {
  const service = new Probe('S')
  t.match(service, {
    state: 'init',
    started: false,
    crashed: false,
    shouldStop: false,
    crashReason: undefined,
    restartCount: 0,
  })
  t.equal(service.signal.aborted, false)
  t.end()
})

void t.test('removing a child in the middle of its start', async (t) => {
  record(t)
  const gate = new Gate()
  const child = new Probe('C', undefined, { onStart: gate.pass })
  const parent = new Probe('P')
  await parent.start()
  const adding = outcome(parent.addRuntimeDependency(child))
  await gate.reached
  const removing = parent.removeDependency(child)
  gate.open()
  await removing
  t.match(await adding, { code: 'ERR_START_FAILED', cause: { code: 'ERR_STOPPED_WHILE_STARTING' } })
  t.equal(child.state, 'stopped')
  t.equal(parent.state, 'running')
  await parent.stop()
})
