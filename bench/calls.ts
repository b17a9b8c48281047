// What does a call into a thread cost, beside the thread itself?
import { fileURLToPath } from 'node:url'
import * as Comlink from 'comlink'
import { Piscina } from 'piscina'
import { isolate } from '../src/index.ts'
import { type Add, bareClient, IN_FLIGHT, latency, throughput } from './call-loops.ts'
import { nodeEndpoint } from './fixtures/endpoint.ts'
import { Adder } from './fixtures/services.ts'
import { bareWorker, closed, compare, interleave } from './harness.ts'

const ROUNDS = 31

const adder = isolate(Adder)
await adder.start()
const bareThread = await bareWorker('bare-calls.js')
const comlinkThread = await bareWorker('comlink-calls.js')
const remote = Comlink.wrap<{ add(a: number, b: number): Promise<number> }>(nodeEndpoint(comlinkThread))
const piscina = new Piscina({
  filename: fileURLToPath(new URL('./fixtures/piscina-calls.js', import.meta.url)),
  minThreads: 1,
  maxThreads: 1,
  concurrentTasksPerWorker: IN_FLIGHT,
})

const clients: Record<'bare' | 'bulkhead' | 'comlink' | 'piscina', Add> = {
  bare: bareClient(bareThread),
  bulkhead: (a, b) => adder.add(a, b),
  comlink: (a, b) => remote.add(a, b),
  piscina: (a, b) => piscina.run({ a, b }) as Promise<number>,
}

const many = await interleave(
  {
    bare: () => throughput(clients.bare, 5000),
    bulkhead: () => throughput(clients.bulkhead, 5000),
    comlink: () => throughput(clients.comlink, 5000),
    piscina: () => throughput(clients.piscina, 5000),
  },
  { rounds: ROUNDS, warmups: 3 },
)
const single = await interleave(
  {
    bare: () => latency(clients.bare, 500),
    bulkhead: () => latency(clients.bulkhead, 500),
    comlink: () => latency(clients.comlink, 500),
    piscina: () => latency(clients.piscina, 500),
  },
  { rounds: ROUNDS, warmups: 2 },
)

for (const name of ['bulkhead', 'comlink', 'piscina'] as const) {
  const own = name === 'bulkhead'
  compare({
    what: `${IN_FLIGHT} calls in flight: ${name}`,
    unit: 'calls/s',
    samples: many[name],
    floorWhat: 'bare postMessage',
    floor: many.bare,
    ...(own ? { target: { atLeast: 0.6 } } : {}),
  })
}
for (const name of ['bulkhead', 'comlink', 'piscina'] as const) {
  const own = name === 'bulkhead'
  compare({
    what: `one call at a time, p50: ${name}`,
    unit: 'µs',
    samples: single[name],
    floorWhat: 'bare postMessage',
    floor: single.bare,
    ...(own ? { target: { atMost: 1.25 } } : {}),
  })
}

await adder.stop()
await closed(bareThread)
await comlinkThread.terminate()
await piscina.destroy()
