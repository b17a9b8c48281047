// What does a service cost that lives inline, and does it cost more among many?
import { ByHand } from './by-hand.ts'
import { Branch } from './fixtures/services.ts'
import { collectGarbage, compare, interleave, measure } from './harness.ts'

const FEW = 1000
const MANY = 10_000

/** µs a service for its start and stop; the same number of services whatever the size of the tree. */
async function perService(size: number, make: (children: number) => ByHand | Branch): Promise<number> {
  const trees = Array.from({ length: MANY / size }, () => make(size))
  // Construction is measured by itself: moving what it made is no part of the start.
  collectGarbage()
  const from = performance.now()
  for (const tree of trees) {
    await tree.start()
    await tree.stop()
  }
  return ((performance.now() - from) * 1000) / MANY
}

function perConstruction(size: number): number {
  const from = performance.now()
  const trees = Array.from({ length: MANY / size }, () => new Branch(size))
  const took = performance.now() - from
  return trees.length > 0 ? (took * 1000) / MANY : NaN
}

const byHand = (children: number): ByHand => new ByHand(children)
const services = (children: number): Branch => new Branch(children)

const samples = await interleave(
  {
    byHand: () => perService(MANY, byHand),
    few: () => perService(FEW, services),
    many: () => perService(MANY, services),
    madeFew: () => perConstruction(FEW),
    madeMany: () => perConstruction(MANY),
  },
  { rounds: 15, warmups: 3 },
)

compare({
  what: 'start and stop, each of 10,000',
  unit: 'µs',
  samples: samples.many,
  floorWhat: 'each of 1,000',
  floor: samples.few,
  target: { atMost: 1.2 },
})
measure({
  what: 'start and stop, each of 10,000, over the hooks called by hand',
  unit: 'µs',
  samples: samples.many.map((value, round) => value - samples.byHand[round]!),
  target: { atMost: 20 },
})
compare({
  what: 'start and stop, each of 10,000',
  unit: 'µs',
  samples: samples.many,
  floorWhat: 'hooks by hand',
  floor: samples.byHand,
})
compare({
  what: 'construction, each of 10,000',
  unit: 'µs',
  samples: samples.madeMany,
  floorWhat: 'each of 1,000',
  floor: samples.madeFew,
})
