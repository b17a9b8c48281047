// What does a call into a thread cost, beside the thread itself?
// oxlint-disable unicorn/require-post-message-target-origin -- a thread's port has no origin
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import * as Comlink from 'comlink'
import { Piscina } from 'piscina'
import { isolate } from '../src/index.ts'
import { nodeEndpoint } from './fixtures/endpoint.ts'
import { Adder } from './fixtures/services.ts'
import { bareWorker, closed, compare, interleave, median } from './harness.ts'

type Add = (a: number, b: number) => PromiseLike<number>

const IN_FLIGHT = 100
const ROUNDS = 31

function bareClient(worker: Worker): Add {
  const pending = new Map<number, (value: number) => void>()
  let lastId = 0
  worker.on('message', ({ id, value }: { id: number; value: number }) => {
    const resolve = pending.get(id)!
    pending.delete(id)
    resolve(value)
  })
  return (a, b) =>
    new Promise((resolve) => {
      const id = ++lastId
      pending.set(id, resolve)
      worker.postMessage({ id, a, b })
    })
}

/** Calls a second, with so many of them under way at any time. */
async function throughput(add: Add, calls: number): Promise<number> {
  let left = calls
  const lane = async (): Promise<void> => {
    while (left-- > 0) if ((await add(left, 1)) !== left + 1) checked += 1
  }
  const from = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return calls / ((performance.now() - from) / 1000)
}
let checked = 0

/** The median of calls made one after the other, in µs. */
async function latency(add: Add, calls: number): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < calls; i++) {
    const from = performance.now()
    await add(i, 1)
    took.push((performance.now() - from) * 1000)
  }
  return median(took)
}

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
