import { ok } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import type { Isolated } from '../../src/index.ts'
import { NODE } from '../../src/service/node.ts'
import { STRATEGIES } from '../../src/supervisor/strategies.ts'
import { type RestartType, Supervisor } from '../../src/supervisor/supervisor.ts'
import { Supervised } from '../fixtures/supervised.ts'
import { liveThreads, sleep } from '../support/both.ts'
import { settle } from '../support/fake-clock.ts'
import { isolate } from '../support/isolate.ts'
import { type Real, compare, rulesFor, timeless, toldBy, typesOf, whatever } from './model-commands.ts'
import { Model, ModelChild, type Rules } from './model.ts'
import { Probe, stage } from './support.ts'

const NAMES = ['a', 'b', 'c', 'd']
/** No history with threads is begun after so long. */
const ISOLATED_MS = process.env.HISTORIES ? Infinity : 3000

function inline(rules: Rules, types: readonly RestartType[]): Real {
  const { strategy, maxRestarts, over, initialDelay: initial } = rules
  const { supervisor, clock, probes, journal } = stage({
    strategy,
    maxRestarts,
    over,
    backoff: { initial },
    labels: NAMES.slice(0, types.length),
    specs: (services) => services.map((service, at) => ({ service, restart: types[at]! })),
  })
  const everyone = new Map(probes.map((probe) => [probe.label, probe]))
  return {
    supervisor,
    journal,
    told: toldBy(supervisor),
    make(name) {
      const probe = new Probe(name, journal)
      probe[NODE].clock = clock
      everyone.set(name, probe)
      return probe
    },
    child: (name) => everyone.get(name)!,
    failStarts(name, times) {
      const probe = everyone.get(name)!
      const last = probe.runs + times
      probe.starting = (run) => {
        if (run <= last) throw new Error(`start ${run} of ${name}`)
      }
    },
    crash: (name) => void everyone.get(name)!.crash(new Error(`crash of ${name}`)),
    rest: settle,
    advance: (ms) => clock.advance(ms),
    check(model) {
      ok(clock.pending === model.waiting, `${clock.pending} timers for ${model.waiting} that wait`)
      for (const { label, live, state, overlapped } of everyone.values()) {
        ok(!overlapped, `${label} lived twice`)
        ok((live === 1) === (state === 'running'), `${label} is ${state}, and lives ${live} times`)
      }
    },
  }
}

/** Each child in a thread of its own, on the system's clock. */
function isolated(rules: Rules, types: readonly RestartType[]): Real & { end(): Promise<void> } {
  const { strategy, maxRestarts, over } = rules
  const journal: string[] = []
  const everyone = new Map<string, { handle: Isolated<Supervised>; failures: Int32Array }>()
  const make = (name: string): Isolated<Supervised> => {
    const failures = new Int32Array(new SharedArrayBuffer(4))
    const handle = isolate(Supervised, { label: name, args: [failures.buffer] })
    handle.onChange(({ state, previous }) => {
      if (state === 'starting') journal.push(`+${name}`)
      else if (state === 'stopped' || (state === 'crashed' && previous === 'running'))
        journal.push(`-${name}`)
    })
    everyone.set(name, { handle, failures })
    return handle
  }
  const services = types.map((restart, at) => ({ service: make(NAMES[at]!), restart }))
  const supervisor = new Supervisor(services, { label: 'top', strategy, maxRestarts, over, backoff: false })
  return {
    supervisor,
    journal,
    told: toldBy(supervisor),
    make,
    child: (name) => everyone.get(name)!.handle,
    failStarts(name, times) {
      everyone.get(name)!.failures[0] = times
    },
    crash: (name) =>
      void everyone
        .get(name)!
        .handle.exit()
        .catch(() => {}),
    async rest(model) {
      const isThere = (): boolean =>
        journal.length >= model.journal.length &&
        supervisor.state === model.state &&
        model.children.every(({ name, state }) => everyone.get(name)!.handle.state === state) &&
        liveThreads() === running(model)
      // What does not come is found by the comparison.
      for (const end = Date.now() + 20_000; !isThere() && Date.now() < end; await sleep(2));
      await settle()
    },
    advance: sleep,
    check: (model) => ok(liveThreads() === running(model), `${liveThreads()} threads for ${running(model)}`),
    async end() {
      await supervisor.stop().catch(() => {})
      for (const { handle } of everyone.values()) await handle.stop().catch(() => {})
    },
  }
}

const running = (model: Model): number => model.children.filter(({ state }) => state === 'running').length

async function replay(
  real: Real,
  rules: Rules,
  types: readonly RestartType[],
  steps: Iterable<fc.AsyncCommand<Model, Real>>,
): Promise<void> {
  const children = types.map((type, at) => new ModelChild(NAMES[at]!, type))
  const model = new Model(rules, children)
  model.start()
  await real.supervisor.start()
  await fc.asyncModelRun(() => ({ model, real }), steps)
  if (model.state === 'running') model.stop()
  await real.supervisor.stop()
  await real.rest(model)
  compare(model, real)
}

t.test('whatever befalls it, a supervisor of inline children does as the model says', async () => {
  const property = fc.asyncProperty(
    rulesFor(STRATEGIES, 100),
    typesOf(1, NAMES.length),
    fc.commands(whatever, { maxCommands: 30, size: 'max' }),
    (rules, types, steps) => replay(inline(rules, types), rules, types, steps),
  )
  await fc.assert(property, { numRuns: Number(process.env.HISTORIES ?? 600) })
})

t.test('and so does one of children in threads', async (t) => {
  let begun = 0
  const end = performance.now() + ISOLATED_MS
  const property = fc.asyncProperty(
    rulesFor(['one-for-one', 'one-for-all', 'rest-for-one', 'forfeit-one-for-all'], 0),
    typesOf(2, 3),
    fc.commands(timeless, { maxCommands: 6, size: 'max' }),
    async (rules, types, steps) => {
      // However slow the machine is, the first is played to its end.
      if (begun > 0 && performance.now() > end) return
      begun += 1
      const real = isolated(rules, types)
      try {
        await replay(real, rules, types, steps)
      } finally {
        await real.end()
      }
    },
  )
  // Nothing is shrunk: a history takes its time.
  await fc.assert(property, { numRuns: Number(process.env.HISTORIES ?? 6), endOnFailure: true })
  t.comment(`${begun} histories`)
})
