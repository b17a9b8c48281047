import type { Isolation, Strategy } from '../../src/index.ts'
import { STRATEGIES } from '../../src/supervisor/strategies.ts'
import type { Random } from './random.ts'

/** Plain data: it crosses into the threads. */
export interface NodePlan {
  readonly id: number
  readonly kind: 'inline' | 'isolated' | 'supervisor'
  /** Of an isolated one. */
  readonly isolation: Isolation
  readonly temper: Temper
  readonly strategy: Strategy
  readonly maxRestarts: number
  readonly restart: 'permanent' | 'transient' | 'temporary'
  readonly concurrency: number
  readonly seed: number
  readonly children: readonly NodePlan[]
}

/** How often a hook or task does what; the rest of the time it goes well at once. */
export interface Temper {
  readonly late: number
  readonly throw: number
  readonly steer: number
}

export interface RunPlan {
  readonly root: NodePlan
  /** Stops have budgets that are too small: hooks are abandoned, threads ended. */
  readonly hasty: boolean
  readonly rounds: number
  readonly threads: boolean
}

const MOST_NODES = 9
const MOST_THREADS = 5

export function planRun(random: Random, { threads }: { threads: boolean }): RunPlan {
  const hasty = random.chance(0.25)
  const wild = random.chance(0.3)
  const temper: Temper = {
    late: random.pick([0, 0.2, 0.5]),
    throw: random.pick([0, 0, 0.05, 0.2]),
    steer: wild ? 0.04 : 0,
  }
  const left = { nodes: MOST_NODES, threads: threads ? MOST_THREADS : 0 }
  let lastId = 0
  const node = (depth: number): NodePlan => {
    left.nodes -= 1
    const id = ++lastId
    const kind = random.pick(
      depth === 0
        ? (['inline', 'inline', 'isolated', 'supervisor', 'supervisor'] as const)
        : (['inline', 'isolated', 'isolated', 'supervisor'] as const),
    )
    let isolation: Isolation = 'inline'
    if (kind === 'isolated' && left.threads > 0 && random.chance(0.75)) {
      isolation = 'thread'
      left.threads -= 1
    }
    const children: NodePlan[] = []
    const wanted = depth >= 2 ? 0 : random.between(depth === 0 ? 1 : 0, 3)
    while (children.length < wanted && left.nodes > 0) children.push(node(depth + 1))
    return {
      id,
      kind,
      isolation,
      temper,
      strategy: random.pick(STRATEGIES),
      maxRestarts: random.between(0, 4),
      restart: random.pick(['permanent', 'permanent', 'transient', 'temporary']),
      concurrency: random.pick([Infinity, Infinity, 1, 2]),
      seed: random.seed(),
      children,
    }
  }
  return { root: node(0), hasty, rounds: random.between(2, threads ? 4 : 6), threads }
}

export function* nodesOf(plan: NodePlan): Generator<NodePlan> {
  yield plan
  for (const child of plan.children) yield* nodesOf(child)
}

/** Whether `id` is the plan or something below it. */
export function contains(plan: NodePlan, id: number): boolean {
  for (const node of nodesOf(plan)) if (node.id === id) return true
  return false
}

export function draw(plan: NodePlan, depth = 0): string {
  const { kind, isolation, strategy, id, restart, maxRestarts } = plan
  const what =
    kind === 'isolated' ? isolation : kind === 'supervisor' ? `${strategy}, ${maxRestarts} restarts` : ''
  const line = `${'  '.repeat(depth)}u${id} ${kind} ${what} (${restart})`
  return [line, ...plan.children.map((child) => draw(child, depth + 1))].join('\n')
}
