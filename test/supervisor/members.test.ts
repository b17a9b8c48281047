import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { NODE } from '../../src/service/node.ts'
import type { ServiceLike } from '../../src/service/types.ts'
import { type ChildSpec, Supervisor } from '../../src/supervisor/supervisor.ts'
import { Gate, Probe, runsOf, stage, states } from './support.ts'

const boom = new Error('boom')

t.test('add() to a supervisor that runs starts the child in the background', async (t) => {
  const { supervisor, journal } = stage()
  await supervisor.start()
  const d = new Probe('d', journal)
  const e = new Probe('e', journal)
  supervisor.add(d, { service: e, restart: 'transient' })
  t.equal(d.supervisor, supervisor)
  await settle()
  t.same(journal.slice(-2), ['+d', '+e'])
  await d.crash(boom)
  await settle()
  t.equal(d.runs, 2, 'and supervises it')
  await supervisor.stop()
  t.same(journal.slice(-5), ['-e', '-d', '-c', '-b', '-a'])
  t.equal(d.supervisor, undefined, 'children added during a run are gone when it ends')
  t.equal(supervisor.children.length, 3)
})

t.test('a failure of the start of an added child is a crash of it', async (t) => {
  const { supervisor, told, clock } = stage()
  await supervisor.start()
  const d = new Probe('d')
  d.starting = (run) => {
    if (run < 3) throw boom
  }
  supervisor.add(d)
  await clock.advance(1000)
  t.same(told, ['crash d', 'restarting d', 'restart-failed d', 'backoff d', 'restarting d', 'restarted d'])
  t.equal(d.state, 'running')
  await supervisor.stop()
})

t.test(
  'add() while the supervisor starts: in its turn before onStarted, in the background after',
  async (t) => {
    const journal: string[] = []
    const early = new Probe('early', journal)
    const late = new Probe('late', journal)
    const first = new Probe('first', journal)
    class Own extends Supervisor {
      protected override onStart(): void {
        this.add(early)
      }
      protected override onStarted(): void {
        this.add(late)
      }
    }
    const own = new Own([first])
    await own.start()
    await settle()
    t.same(journal, ['+first', '+early', '+late'])
    await own.restart()
    await settle()
    t.equal(own.children.length, 3)
    await own.stop()
  },
)

t.test('adding twice does nothing; a child of another is refused', async (t) => {
  const { supervisor, probes } = stage()
  supervisor.add(probes[0]!, { service: probes[1]!, restart: 'temporary' })
  t.equal(supervisor.children.length, 3)
  t.throws(() => new Supervisor([probes[0]!]), { code: 'ERR_HAS_PARENT' })
  t.throws(() => supervisor.add(supervisor), { code: 'ERR_CYCLE' })
  await supervisor.start()
  await probes[1]!.crash(boom)
  await settle()
  t.equal(probes[1]!.runs, 2, 'it keeps the settings it was added with')
  await supervisor.stop()
})

function wrong(given: unknown): Supervisor {
  return new Supervisor([given as ChildSpec])
}

t.test('what is no child, no spec and no option is refused', async (t) => {
  const code = 'ERR_INVALID_ARGUMENT'
  const service = new Probe('x')
  t.throws(() => wrong(undefined), { code })
  t.throws(() => wrong({}), { code })
  t.throws(() => wrong({ service, restart: 'always' }), { code })
  t.throws(() => wrong({ service, stopTimeout: 'soon' }), { code: 'ERR_INVALID_DURATION' })
  t.throws(() => new Supervisor([], { strategy: 'one_for_one' as never }), { code })
  t.throws(() => new Supervisor([], { maxRestarts: -1 }), { code })
  t.throws(() => new Supervisor([], { maxRestarts: 1.5 }), { code })
  t.throws(() => new Supervisor([], { over: 'soon' }), { code: 'ERR_INVALID_DURATION' })
  t.throws(() => new Supervisor([], { replacement: 1 as never }), { code })
  t.equal(service.supervisor, undefined)
})

t.test('a service with a field named `service` is still a service', async (t) => {
  class Confusing extends Probe {
    readonly service = new Probe('inner')
  }
  const confusing = new Confusing('outer')
  const supervisor = new Supervisor([confusing])
  t.same(
    supervisor.children.map(({ label }) => label),
    ['outer'],
  )
})

t.test('remove() stops the child first, for good', async (t) => {
  const { supervisor, probes, told } = stage()
  await supervisor.start()
  await supervisor.remove(probes[1]!)
  await settle()
  t.equal(states([supervisor, ...probes]), 'top:running a:running b:stopped c:running')
  t.equal(probes[1]!.supervisor, undefined)
  t.equal(supervisor.children.length, 2)
  t.same(told, [])
  await probes[1]!.start()
  await probes[1]!.crash(boom)
  await settle()
  t.same(told, [], 'what it does then is its own affair')
  supervisor.add(probes[1]!)
  await settle()
  t.equal(probes[1]!.state, 'running')
  await supervisor.removeDependency(probes[1]!)
  t.equal(supervisor.children.length, 2, 'removeDependency() is the same')
  await supervisor.stop()
})

t.test('remove() of a child in its back-off, or in its restart', async (t) => {
  const { supervisor, probes, clock } = stage()
  await supervisor.start()
  const gate = new Gate()
  probes[0]!.starting = (run) => (run === 2 ? gate.opened : undefined)
  await probes[0]!.crash(boom)
  await settle()
  t.equal(probes[0]!.state, 'starting')
  const removing = supervisor.remove(probes[0]!)
  gate.open()
  await removing
  t.equal(probes[0]!.state, 'stopped')

  await probes[1]!.crash(boom)
  await settle()
  t.equal(clock.pending, 1)
  await supervisor.remove(probes[1]!)
  await settle()
  t.equal(clock.pending, 0)
  await clock.advance(10_000)
  t.same(runsOf(probes), [2, 1, 1])
  t.equal(supervisor.state, 'running')
  await supervisor.stop()
})

t.test('remove() of one child in the restart of all lets the others go on', async (t) => {
  const gate = new Gate()
  const { supervisor, probes } = stage({ strategy: 'one-for-all' })
  await supervisor.start()
  probes[1]!.starting = (run) => (run === 2 ? gate.opened : undefined)
  await probes[0]!.crash(boom)
  await settle()
  t.equal(states(probes), 'a:running b:starting c:stopped')
  const removing = supervisor.remove(probes[1]!)
  await settle()
  t.equal(states(probes), 'a:running b:stopping c:running')
  gate.open()
  await removing
  await supervisor.stop()
})

t.test('a child may have itself removed', async (t) => {
  const { supervisor, probes } = stage()
  await supervisor.start()
  await probes[1]!.addFuture(async () => supervisor.remove(probes[1]!))
  await settle()
  t.equal(probes[1]!.state, 'stopped')
  t.equal(supervisor.children.length, 2)
  await supervisor.stop()
})

t.test('remove() rejects as the stop does, detached all the same', async (t) => {
  const { supervisor, probes } = stage()
  await supervisor.start()
  probes[1]!.stopping = () => {
    throw boom
  }
  await t.rejects(supervisor.remove(probes[1]!), boom)
  t.equal(supervisor.children.length, 2)
  await supervisor.remove(probes[1]!)
  await supervisor.stop()
})

t.test('replacement: asked for the crashed child alone, which it takes the place of', async (t) => {
  const asked: [ServiceLike, number][] = []
  const fresh: Probe[] = []
  const { supervisor, probes, told, journal } = stage({
    strategy: 'one-for-all',
    replacement: async (crashed, index) => {
      asked.push([crashed, index])
      fresh.push(new Probe('b', journal))
      return fresh.at(-1)!
    },
  })
  await supervisor.start()
  journal.length = 0
  await probes[1]!.crash(boom)
  await settle()
  t.same(asked, [[probes[1], 1]])
  t.same(supervisor.children, [probes[0], fresh[0], probes[2]])
  t.same(journal.slice(-3), ['+a', '+b', '+c'])
  t.equal(fresh[0]!.restartCount, 0)
  t.equal(fresh[0]!.beacon.path, 'top/b')
  t.equal(fresh[0]!.supervisor, supervisor)
  t.equal(probes[1]!.supervisor, undefined)
  t.equal(probes[1]!.state, 'crashed')
  t.same(told, ['crash b', 'restarting b', 'restarted b'])
  await supervisor.restart()
  t.same(supervisor.children, [probes[0], fresh[0], probes[2]], 'for good')
  t.equal(fresh[0]!.state, 'running')
  await supervisor.stop()
})

t.test('a replacement is asked for only when the crashed one is down', async (t) => {
  let live = -1
  const { supervisor, probes } = stage({
    replacement: (crashed) => {
      live = (crashed as Probe).live
      return crashed
    },
  })
  await supervisor.start()
  const gate = new Gate()
  probes[0]!.stopping = (run) => (run === 1 ? gate.opened : undefined)
  void probes[0]!.crash(boom)
  await settle()
  t.equal(live, -1)
  gate.open()
  await settle()
  t.equal(live, 0)
  t.equal(probes[0]!.restartCount, 1, 'the crashed one itself is restarted')
  await supervisor.stop()
})

t.test('a replacement that throws, or is not to be had, is a failed restart', async (t) => {
  const answers: (() => ServiceLike)[] = [
    () => {
      throw boom
    },
    () => undefined as never,
    () => probes[2]!,
    () => fresh,
  ]
  const fresh = new Probe('a')
  const { supervisor, probes, told, events, clock } = stage({ replacement: () => answers.shift()!() })
  await supervisor.start()
  await probes[0]!.crash(new Error('first'))
  await clock.advance(5000)
  t.equal(told.filter((text) => text === 'restart-failed a').length, 3)
  t.equal(events[2]!.reason, boom)
  t.equal(fresh.state, 'running')
  t.same(supervisor.children, [fresh, probes[1], probes[2]])
  await supervisor.stop()
})

t.test('an answer that comes after the question was dropped is dropped', async (t) => {
  const gate = new Gate()
  const late = new Probe('late')
  let asked = 0
  const { supervisor, probes } = stage({
    strategy: 'one-for-all',
    backoff: false,
    replacement: async () => {
      asked += 1
      if (asked > 1) return new Probe('prompt')
      await gate.opened
      return late
    },
  })
  await supervisor.start()
  await probes[1]!.crash(boom)
  await settle()
  t.equal(asked, 1)
  await probes[0]!.crash(boom)
  await settle()
  gate.open()
  await settle()
  t.equal(late.runs, 0)
  t.equal(late.supervisor, undefined)
  t.notOk(supervisor.children.includes(late))
  t.ok(supervisor.children.every(({ state }) => state === 'running'))
  await supervisor.stop()
})

t.test('of two answers for one child, the one to the later question counts', async (t) => {
  const gates = [new Gate(), new Gate()]
  const late = new Probe('late')
  const right = new Probe('right')
  const answers = [late, right]
  const { supervisor, probes } = stage({
    strategy: 'one-for-all',
    backoff: false,
    replacement: async (crashed) => {
      if (crashed !== probes[1]) return crashed
      const [gate, answer] = [gates.shift()!, answers.shift()!]
      await gate.opened
      return answer
    },
  })
  const [first, second] = gates
  await supervisor.start()
  await probes[1]!.crash(boom)
  await settle()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(gates.length, 0, 'asked twice')
  first!.open()
  await settle()
  t.equal(late.runs, 0)
  second!.open()
  await settle()
  t.same(supervisor.children, [probes[0], right, probes[2]])
  t.equal(states([probes[0]!, right, probes[2]!]), 'a:running right:running c:running')
  await supervisor.stop()
})

t.test('a replacement that runs already is taken as it is', async (t) => {
  const running = new Probe('running')
  await running.start()
  const { supervisor, probes } = stage({ replacement: () => running })
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  t.equal(running.runs, 1)
  t.equal(supervisor.children[0], running)
  await supervisor.stop()
  t.equal(running.state, 'stopped')
})

t.test('stop() does not wait for a replacement', async (t) => {
  const { supervisor, probes } = stage({ replacement: () => new Promise(() => {}) })
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  await supervisor.stop()
  t.equal(supervisor.state, 'stopped')
})

t.test('a plain dependency is not supervised: it takes the supervisor along', async (t) => {
  const { supervisor, probes } = stage()
  const plain = supervisor.addDependency(new Probe('plain'))
  await supervisor.start()
  await plain.crash(boom)
  t.equal(states([supervisor, ...probes]), 'top:crashed a:crashed b:crashed c:crashed')
  t.equal(supervisor.crashReason, boom)
  t.equal(plain[NODE].supervisor, undefined)
  supervisor.add(plain)
  t.equal(plain.supervisor, supervisor, 'until it is added')
  await supervisor.stop()
})
