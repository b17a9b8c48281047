// How much later is an isolated service up than a bare thread, and a row of them than as many?
import type { Worker } from 'node:worker_threads'
import { isolate } from '../src/index.ts'
import { Branch, Idle } from './fixtures/services.ts'
import { bareWorker, closed, compare, interleave, time } from './harness.ts'

const startIsolated = async (): Promise<number> => {
  const handle = isolate(Idle)
  const took = await time(() => handle.start())
  await handle.stop()
  return took
}
const startBare = async (fixture: string): Promise<number> => {
  const from = performance.now()
  const worker = await bareWorker(fixture)
  const took = performance.now() - from
  await closed(worker)
  return took
}

const samples = await interleave(
  {
    isolated: startIsolated,
    comlink: () => startBare('bare-comlink.js'),
    empty: () => startBare('bare-close.js'),
  },
  { rounds: 25 },
)
compare({
  what: 'start of an isolated service',
  unit: 'ms',
  samples: samples.isolated,
  floorWhat: 'bare Worker that imports comlink',
  floor: samples.comlink,
  target: { atMost: 1.25 },
})
compare({
  what: 'start of an isolated service',
  unit: 'ms',
  samples: samples.isolated,
  floorWhat: 'bare Worker that imports nothing',
  floor: samples.empty,
})

const SIBLINGS = 8

const siblings = await interleave(
  {
    isolated: async () => {
      const root = new Branch(0)
      for (let i = 0; i < SIBLINGS; i++) root.addDependency(isolate(Idle))
      const took = await time(() => root.start())
      await root.stop()
      return took
    },
    inTurn: async () => {
      const workers: Worker[] = []
      const took = await time(async () => {
        for (let i = 0; i < SIBLINGS; i++) workers.push(await bareWorker('bare-comlink.js'))
      })
      await Promise.all(workers.map(closed))
      return took
    },
    together: async () => {
      const spawning = Array.from({ length: SIBLINGS }, () => bareWorker('bare-comlink.js'))
      const took = await time(() => Promise.all(spawning))
      await Promise.all((await Promise.all(spawning)).map(closed))
      return took
    },
  },
  { rounds: 15 },
)
const floors = [
  { floorWhat: 'bare Workers that import comlink, in turn', floor: siblings.inTurn },
  { floorWhat: 'bare Workers that import comlink, all at once', floor: siblings.together },
]
for (const floor of floors) {
  compare({
    what: `start of ${SIBLINGS} isolated siblings`,
    unit: 'ms',
    samples: siblings.isolated,
    ...floor,
  })
}
