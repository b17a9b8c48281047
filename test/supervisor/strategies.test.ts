import fc from 'fast-check'
import t from 'tap'
import type { RestartType } from '../../src/supervisor/child.ts'
import {
  type ChildFacts,
  type Fall,
  STRATEGIES,
  type Strategy,
  planFor,
} from '../../src/supervisor/strategies.ts'

const facts: fc.Arbitrary<ChildFacts> = fc.record({
  restart: fc.constantFrom<RestartType>('permanent', 'transient', 'temporary'),
  atRest: fc.boolean(),
})

interface Situation {
  children: ChildFacts[]
  index: number
  strategy: Strategy
  fall: Fall
}

const situation: fc.Arbitrary<Situation> = fc.array(facts, { minLength: 1, maxLength: 8 }).chain((children) =>
  fc.record({
    children: fc.constant(children),
    index: fc.nat(children.length - 1),
    strategy: fc.constantFrom(...STRATEGIES),
    fall: fc.constantFrom<Fall>('crashed', 'stopped'),
  }),
)

const ascending = (numbers: readonly number[]): boolean =>
  numbers.every((value, at) => at === 0 || numbers[at - 1]! < value)

function always(
  promise: string,
  holds: (plan: ReturnType<typeof planFor>, given: Situation) => boolean,
): void {
  t.test(promise, async () => {
    fc.assert(
      fc.property(situation, (given) =>
        holds(planFor(given.strategy, given.children, given.index, given.fall), given),
      ),
      { numRuns: 2000 },
    )
  })
}

always(
  'stops in reverse, starts in order',
  (plan) => ascending(plan.stop.toReversed()) && ascending(plan.start),
)
always('starts only what it has stopped', (plan) => plan.start.every((at) => plan.stop.includes(at)))
always(
  'never starts a temporary child, and does nothing at all for the fall of one',
  (plan, { children, index }) =>
    plan.start.every((at) => children[at]!.restart !== 'temporary') &&
    (children[index]!.restart !== 'temporary' || plan.action === 'ignore'),
)
always(
  'acts on the stop of permanent children alone',
  (plan, { children, index, fall }) =>
    fall === 'crashed' || plan.action === 'ignore' || children[index]!.restart === 'permanent',
)
always('a plan that restarts, restarts the one that fell', (plan, { index }) =>
  plan.action === 'restart'
    ? plan.start.includes(index) && plan.stop.includes(index)
    : plan.start.length === 0,
)
always('a transient sibling that had ended stays so', (plan, { children, index }) =>
  plan.start.every((at) => at === index || !(children[at]!.restart === 'transient' && children[at]!.atRest)),
)
always(
  'leaves those before the crashed one alone, but for the one-for-all strategies',
  (plan, { index, strategy }) => strategy.endsWith('one-for-all') || plan.stop.every((at) => at >= index),
)

t.test('each strategy, for the crash of the second of three', async (t) => {
  const children: ChildFacts[] = Array.from({ length: 3 }, () => ({ restart: 'permanent', atRest: false }))
  const plans: Record<Strategy, unknown> = {
    'one-for-one': { action: 'restart', stop: [1], start: [1] },
    'one-for-all': { action: 'restart', stop: [2, 1, 0], start: [0, 1, 2] },
    'rest-for-one': { action: 'restart', stop: [2, 1], start: [1, 2] },
    'forfeit-one-for-one': { action: 'forfeit', stop: [1], start: [] },
    'forfeit-one-for-all': { action: 'forfeit', stop: [2, 1, 0], start: [] },
    crash: { action: 'escalate', stop: [], start: [] },
  }
  for (const strategy of STRATEGIES) t.same(planFor(strategy, children, 1), plans[strategy], strategy)
})
