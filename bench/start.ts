// How much later is an isolated service up than a bare thread?
import { isolate } from '../src/index.ts'
import { Idle } from './fixtures/services.ts'
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
