import * as fc from 'fast-check'
import t from 'tap'
import { NODE } from '../../src/service/node.ts'
import { TRANSITIONS } from '../../src/service/state.ts'
import type { StateChange } from '../../src/service/types.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { untilAborted } from '../support/gate.ts'
import { Probe, type HookName, outcome, settled } from '../support/probe.ts'
import { record } from '../support/record.ts'

type Step = 'ok' | 'turn' | 'throw' | 'stop' | 'crash' | 'restart'
type Hook = Extract<HookName, 'onFirstStart' | 'onStart' | 'onStarted' | 'onStop' | 'onShutdown'>
const HOOKS: readonly Hook[] = ['onFirstStart', 'onStart', 'onStarted', 'onStop', 'onShutdown']

interface Plan {
  /** Index of the parent, of those before it. */
  readonly parent: number
  /** Each hook follows its script, one step a call, then goes well. */
  readonly hooks: Readonly<Record<Hook, readonly Step[]>>
  readonly task: readonly Step[]
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Step>('ok') },
  { weight: 4, arbitrary: fc.constant<Step>('turn') },
  { weight: 2, arbitrary: fc.constantFrom<Step>('throw', 'stop', 'crash', 'restart') },
)
const script = fc.array(step, { maxLength: 3 })
const plan = fc.record({
  parent: fc.nat(),
  hooks: fc.record(Object.fromEntries(HOOKS.map((hook) => [hook, script])) as Record<Hook, typeof script>),
  task: script,
})
const action = fc.record({
  verb: fc.constantFrom('start', 'maybeStart', 'stop', 'stop', 'budget', 'restart', 'crash'),
  target: fc.nat(),
  turns: fc.nat({ max: 3 }),
})

interface Tally {
  onStartDone: number
  onStop: number
  onShutdown: number
  live: number
  mostLive: number
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

function build(plans: readonly Plan[], broken: string[]) {
  const clock = new FakeClock()
  const services: Probe[] = []
  const tallies: Tally[] = []
  for (const [index, { hooks, task, parent }] of plans.entries()) {
    const tally: Tally = { onStartDone: 0, onStop: 0, onShutdown: 0, live: 0, mostLive: 0 }
    const scripts = Object.fromEntries(HOOKS.map((hook) => [hook, [...hooks[hook]]])) as Record<Hook, Step[]>
    const tasks = [...task]
    const act = async (service: Probe, steps: Step[]): Promise<void> => {
      const next = steps.shift() ?? 'ok'
      if (next === 'turn') await turn()
      else if (next === 'throw') throw new Error('scripted')
      else if (next === 'crash') await service.crash(new Error('scripted crash'))
      else if (next !== 'ok') await service[next]()
    }
    const service = new Probe(`S${index}`, () => {}, {
      onFirstStart() {
        return act(this, scripts.onFirstStart)
      },
      async onStart() {
        await act(this, scripts.onStart)
        tally.onStartDone++
        tally.live++
        tally.mostLive = Math.max(tally.mostLive, tally.live)
      },
      onStarted() {
        this.addDependency(new Probe('temporary'))
        return act(this, scripts.onStarted)
      },
      onStop() {
        tally.onStop++
        return act(this, scripts.onStop)
      },
      onShutdown() {
        tally.onShutdown++
        tally.live--
        if (tally.onShutdown > tally.onStop) broken.push(`${this.label}: onShutdown without onStop`)
        return act(this, scripts.onShutdown)
      },
    })
    // Never moved: a budget that is spent leaves its grace, which nothing here outlives.
    service[NODE].clock = clock
    service.addTask('work', async (signal) => {
      await act(service, tasks)
      await untilAborted(signal)
    })
    service.onChange(({ state, previous }: StateChange) => {
      if (!TRANSITIONS[previous].includes(state)) broken.push(`${service.label}: ${previous} to ${state}`)
    })
    if (index > 0) services[parent % index]!.addDependency(service)
    services.push(service)
    tallies.push(tally)
  }
  return { services, tallies }
}

void t.test('whatever happens, the invariants hold', async (t) => {
  record(t)
  await fc.assert(
    fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 5 }),
      fc.array(action, { minLength: 1, maxLength: 12 }),
      async (plans, actions) => {
        const broken: string[] = []
        const spent = actions.some(({ verb }) => verb === 'budget')
        const { services, tallies } = build(plans, broken)
        const promises: Promise<unknown>[] = []
        const kept = services.map((service) => service.children.length)
        for (const { verb, target, turns } of [{ verb: 'start', target: 0, turns: 1 } as const, ...actions]) {
          const service = services[target % services.length]!
          promises.push(
            outcome(
              verb === 'crash'
                ? service.crash(new Error('from outside'))
                : verb === 'budget'
                  ? service.stop({ timeout: 0 })
                  : service[verb](),
            ),
          )
          for (let passed = 0; passed < turns; passed++) await turn()
        }
        // Scripts run dry: two stops of everything, the second for restarts that hooks had asked for.
        const end = async (): Promise<void> => {
          for (let round = 0; round < 30; round++) {
            for (const service of services) await outcome(service.stop())
            for (let passed = 0; passed < 5; passed++) await turn()
            if (services.every((service) => !service[NODE].inRun && !service[NODE].restarting)) return
          }
          broken.push(`never at rest: ${services.map((service) => service.state).join(' ')}`)
        }
        if (!(await settled(end(), 2000))) broken.push('a stop hangs')
        if (!(await settled(Promise.all(promises), 200))) broken.push('a promise never settled')
        for (const [index, service] of services.entries()) {
          const tally = tallies[index]!
          if (!['init', 'stopped', 'crashed'].includes(service.state))
            broken.push(`${index}: ${service.state}`)
          const owed = tally.onStartDone - tally.onStop
          // An onStart that a spent budget gave up is owed nothing, though it may still end well.
          if (owed < 0 || (owed > 0 && !spent)) broken.push(`${index}: onStop ${JSON.stringify(tally)}`)
          if (tally.onShutdown !== tally.onStop) broken.push(`${index}: onShutdown ${JSON.stringify(tally)}`)
          if (tally.mostLive > 1 && !spent) broken.push(`${index}: two live runs`)
          if (service.pendingWork().length > 0) broken.push(`${index}: ${service.pendingWork().join()}`)
          if (service.children.length !== kept[index])
            broken.push(`${index}: ${service.children.length} children`)
          if ((service.state === 'crashed') === (service.crashReason === undefined)) {
            broken.push(`${index}: reason of ${service.state}`)
          }
        }
        if (broken.length > 0) throw new Error(broken.join('\n'))
      },
    ),
    { numRuns: 200 },
  )
  t.pass()
})
