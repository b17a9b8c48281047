// How long does a tree take to stop, beside what its hooks and threads take by themselves?
import type { Worker } from 'node:worker_threads'
import { isolate, type Service } from '../src/index.ts'
import { ByHand } from './by-hand.ts'
import { Branch, Idle, Leaf } from './fixtures/services.ts'
import { bareWorker, closed, compare, interleave, measure, time } from './harness.ts'

const INLINE = 100
const THREADS = 8
/** The mixed tree: a root, so many groups, and in each so many leaves and a thread with leaves of its own. */
const GROUPS = 3
const LEAVES = 5
const LEAVES_IN_THREAD = 2

async function stopOf(tree: Pick<Service, 'start' | 'stop'>): Promise<number> {
  await tree.start()
  return time(() => tree.stop())
}

/** The best of a few, for what takes microseconds. */
async function best(of: number, sample: () => Promise<number>): Promise<number> {
  let least = Infinity
  for (let i = 0; i < of; i++) least = Math.min(least, await sample())
  return least
}

const bareWorkers = (count: number): Promise<Worker[]> =>
  Promise.all(Array.from({ length: count }, () => bareWorker('bare-close.js')))

// ---- one isolated service, idle

const single = await interleave(
  {
    isolated: () => stopOf(isolate(Idle)),
    closed: async () => {
      const worker = await bareWorker('bare-close.js')
      return time(() => closed(worker))
    },
  },
  { rounds: 25 },
)
compare({
  what: 'stop of one isolated service',
  unit: 'ms',
  samples: single.isolated,
  floorWhat: 'bare worker closes its port',
  floor: single.closed,
  target: { atMost: 1.5 },
})

// ---- 100 inline services

const inline = await interleave(
  {
    services: () => best(5, () => stopOf(new Branch(INLINE))),
    byHand: () => best(5, () => stopOf(new ByHand(INLINE) as never)),
  },
  { rounds: 25, warmups: 5 },
)
compare({
  what: `stop of ${INLINE} inline services`,
  unit: 'ms',
  samples: inline.services,
  floorWhat: 'hooks by hand',
  floor: inline.byHand,
})
measure({
  what: `stop of ${INLINE} inline services, each over the hooks by hand`,
  unit: 'µs',
  samples: inline.services.map((value, round) => ((value - inline.byHand[round]!) * 1000) / INLINE),
  target: { atMost: 20 },
})

// ---- 8 isolated services

function isolatedTree(): Branch {
  const root = new Branch(0)
  for (let i = 0; i < THREADS; i++) root.addDependency(isolate(Idle))
  return root
}

const eight = await interleave(
  {
    isolated: () => stopOf(isolatedTree()),
    terminated: async () => {
      const workers = await bareWorkers(THREADS)
      return time(() => Promise.all(workers.map((worker) => worker.terminate())))
    },
    together: async () => {
      const workers = await bareWorkers(THREADS)
      return time(() => Promise.all(workers.map(closed)))
    },
    inTurn: async () => {
      const workers = await bareWorkers(THREADS)
      return time(() => closeInTurn(workers))
    },
  },
  { rounds: 15 },
)

async function closeInTurn(workers: readonly Worker[]): Promise<void> {
  for (const worker of workers) await closed(worker)
}

const floorsOfEight = [
  { floorWhat: 'eight terminate() at once', floor: eight.terminated, target: { atMost: 1.5 } },
  { floorWhat: 'bare workers close, all at once', floor: eight.together },
  { floorWhat: 'bare workers close, in turn', floor: eight.inTurn },
]
for (const floor of floorsOfEight) {
  compare({ what: `stop of ${THREADS} isolated services`, unit: 'ms', samples: eight.isolated, ...floor })
}

// ---- mixed, three levels

function mixedTree(): Branch {
  const root = new Branch(0)
  for (let i = 0; i < GROUPS; i++) {
    const group = root.addDependency(new Branch(0))
    for (let leaf = 0; leaf < LEAVES; leaf++) group.addDependency(new Leaf())
    group.addDependency(isolate(Branch, { args: [LEAVES_IN_THREAD] }))
  }
  return root
}

const mixed = await interleave(
  {
    services: () => stopOf(mixedTree()),
    byHand: async () => {
      const groups: { hooks: ByHand; worker: Worker }[] = []
      for (const worker of await bareWorkers(GROUPS)) groups.push({ hooks: new ByHand(LEAVES), worker })
      return time(() =>
        new ByHand(0).stop(async () => {
          for (const { hooks, worker } of groups.toReversed()) await hooks.stop(() => closed(worker))
        }),
      )
    },
  },
  { rounds: 15 },
)
compare({
  what: 'stop of a mixed tree, three levels',
  unit: 'ms',
  samples: mixed.services,
  floorWhat: 'hooks by hand, bare workers close in turn',
  floor: mixed.byHand,
  target: { atMost: 1.5 },
})
