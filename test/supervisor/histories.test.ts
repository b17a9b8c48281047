import fc from 'fast-check'
import t from 'tap'
import { STRATEGIES } from '../../src/supervisor/strategies.ts'
import type { RestartType, Strategy } from '../../src/supervisor/supervisor.ts'
import { settle } from '../support/fake-clock.ts'
import { Gate, Probe, type Stage, stage } from './support.ts'

// Random histories of what may befall a supervisor, on a clock that is advanced by hand. What must hold in all of them:
// no child ever lives twice, no restart beyond the window, and once things have come to rest, everyone is where its
// restart type and the strategy say.

type Step =
  | { do: 'crash' | 'stop' | 'restart' | 'remove' | 'hold' | 'failNext' | 'slowStop'; child: number }
  | { do: 'release' | 'add' | 'supervisorRestart' }
  | { do: 'advance'; ms: number }
  | { do: 'turn' }

const child = fc.nat(3)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('crash' as const), child }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('stop' as const, 'restart', 'remove', 'hold', 'failNext', 'slowStop'),
      child,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('release' as const, 'add', 'supervisorRestart') }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(300) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'turn' as const }) },
)

const history = fc.record({
  strategy: fc.constantFrom<Strategy>(...STRATEGIES),
  types: fc.array(fc.constantFrom<RestartType>('permanent', 'permanent', 'transient', 'temporary'), {
    minLength: 4,
    maxLength: 4,
  }),
  maxRestarts: fc.constantFrom(2, 5, 1000),
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
  stopAtEnd: fc.boolean(),
})

type History = typeof history extends fc.Arbitrary<infer T> ? T : never

class Play {
  readonly stage: Stage
  readonly everyone: Probe[]
  readonly settling: Promise<unknown>[] = []
  #gates: Gate[] = []
  #reason = 0

  constructor({ strategy, types, maxRestarts }: History) {
    this.stage = stage({
      strategy,
      maxRestarts,
      labels: ['a', 'b', 'c', 'd'],
      specs: (probes) => probes.map((service, at) => ({ service, restart: types[at]! })),
    })
    this.everyone = [...this.stage.probes]
  }

  async take(step: Step): Promise<void> {
    const { supervisor, clock } = this.stage
    switch (step.do) {
      case 'advance':
        return clock.advance(step.ms)
      case 'turn':
        return settle()
      case 'release':
        return this.release()
      case 'supervisorRestart':
        if (supervisor.state === 'running') this.#let(supervisor.restart())
        return
      case 'add': {
        if (this.everyone.length > 8) return
        const added = new Probe(`x${this.everyone.length}`)
        this.everyone.push(added)
        supervisor.add(added)
        return
      }
      default:
        this.#befall(step.do, this.everyone[step.child]!)
    }
  }

  #befall(
    what: 'crash' | 'stop' | 'restart' | 'remove' | 'hold' | 'failNext' | 'slowStop',
    probe: Probe,
  ): void {
    switch (what) {
      case 'crash':
        return this.#let(probe.crash(new Error(`crash ${++this.#reason}`)))
      case 'stop':
        return this.#let(probe.stop())
      case 'restart':
        return probe.supervisor && probe.state === 'running' ? this.#let(probe.restart()) : undefined
      case 'remove':
        return this.#let(this.stage.supervisor.remove(probe))
      case 'hold': {
        const gate = this.#gate()
        probe.starting = () => gate.opened
        return
      }
      case 'slowStop': {
        const gate = this.#gate()
        probe.stopping = () => gate.opened
        return
      }
      case 'failNext': {
        const next = probe.runs + 1
        probe.starting = (run) => {
          if (run === next) throw new Error(`start ${++this.#reason}`)
        }
      }
    }
  }

  release(): void {
    for (const gate of this.#gates) gate.open()
    this.#gates = []
  }

  #gate(): Gate {
    const gate = new Gate()
    this.#gates.push(gate)
    return gate
  }

  #let(promise: Promise<unknown>): void {
    this.settling.push(promise.catch(() => {}))
  }
}

async function replay(given: History): Promise<void> {
  const play = new Play(given)
  const { supervisor, clock, events } = play.stage
  await supervisor.start()
  for (const step of given.steps) {
    await play.take(step)
    check(
      play.everyone.every((probe) => !probe.overlapped && probe.live <= 1),
      'a child lives twice',
    )
  }
  play.release()
  if (given.stopAtEnd) {
    await supervisor.stop()
    check(clock.pending === 0, 'a timer outlives the stop')
    await clock.advance(60_000)
    check(
      play.everyone.every(({ live }) => live === 0),
      'something runs after the stop',
    )
    return
  }
  await clock.advance(60_000)
  await Promise.all(play.settling)
  await clock.advance(60_000)

  check(
    play.everyone.every((probe) => !probe.overlapped),
    'a child lived twice',
  )
  check(
    events.every(({ restarts }) => restarts <= given.maxRestarts),
    'more restarts than there are',
  )
  check(clock.pending === 0, 'a timer is left')
  const restarting = ['one-for-one', 'one-for-all', 'rest-for-one'].includes(given.strategy)
  if (supervisor.state === 'running') {
    for (const probe of play.everyone) {
      if (probe.supervisor !== supervisor) continue
      check(
        probe.state !== 'starting' && probe.state !== 'stopping',
        `${probe.label} is ${probe.state} for ever`,
      )
      const type = given.types[play.everyone.indexOf(probe)] ?? 'permanent'
      if (restarting && type === 'permanent')
        check(probe.state === 'running', `${probe.label} is ${probe.state}`)
      if (restarting && type === 'transient') check(probe.state !== 'crashed', `${probe.label} was forgotten`)
    }
  } else {
    check(
      play.everyone.every(({ live }) => live === 0),
      'something runs under a supervisor that does not',
    )
  }
  await supervisor.stop()
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

t.test(
  'whatever happens: no child lives twice, none is forgotten, none outlives the supervisor',
  async () => {
    await fc.assert(fc.asyncProperty(history, replay), { numRuns: Number(process.env.HISTORIES ?? 300) })
  },
)
