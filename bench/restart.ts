// How soon is an isolated service running again after its thread has died, beside a bare spawn?
import { once } from 'node:events'
import { pino } from 'pino'
import { isolate, setLogger, Supervisor } from '../src/index.ts'
import { Doomed } from './fixtures/doomed.ts'
import { bareWorker, closed, compare, interleave, time } from './harness.ts'

// That it crashes is the point here, and no news.
setLogger(pino({ level: 'silent' }))

const diedAt = new BigInt64Array(new SharedArrayBuffer(8))
const doomed = isolate(Doomed, { args: [diedAt.buffer] })
const supervisor = new Supervisor([doomed], { maxRestarts: Infinity, backoff: false })
await supervisor.start()

/** From right before the thread ends itself until its successor takes calls. */
async function restart(): Promise<number> {
  const running = new Promise<bigint>((resolve) => {
    const off = doomed.onChange(({ state }) => {
      if (state !== 'running') return
      off()
      resolve(process.hrtime.bigint())
    })
  })
  await doomed.exitSoon()
  return Number((await running) - diedAt[0]!) / 1e6
}

async function start(): Promise<number> {
  const handle = isolate(Doomed, { args: [diedAt.buffer] })
  const took = await time(() => handle.start())
  await handle.stop()
  return took
}

async function spawn(): Promise<number> {
  const from = performance.now()
  const worker = await bareWorker('bare-comlink.js')
  const took = performance.now() - from
  await closed(worker)
  return took
}

/** The same by hand: a thread is ended, and when it is gone another is spawned in its place. */
async function respawn(): Promise<number> {
  const worker = await bareWorker('bare-comlink.js')
  const from = performance.now()
  const gone = once(worker, 'exit')
  void worker.terminate()
  await gone
  const successor = await bareWorker('bare-comlink.js')
  const took = performance.now() - from
  await closed(successor)
  return took
}

const samples = await interleave({ restart, start, spawn, respawn }, { rounds: 25 })
await supervisor.stop()

const floors = [
  { floorWhat: 'bare Worker that imports comlink', floor: samples.spawn, target: { atMost: 1.3 } },
  { floorWhat: 'bare Worker ended, then another', floor: samples.respawn },
  { floorWhat: 'start of an isolated service', floor: samples.start },
]
for (const floor of floors) {
  compare({ what: "a thread's death to running again", unit: 'ms', samples: samples.restart, ...floor })
}
