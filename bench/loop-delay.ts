// How late does the main thread's event loop come while a service in a thread keeps a core busy?
// oxlint-disable unicorn/require-post-message-target-origin -- a thread's port has no origin
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { isolate } from '../src/index.ts'
import { Busy } from './fixtures/busy.ts'
import { bareWorker, closed, compare, interleave } from './harness.ts'

const WINDOW_MS = 1000
/** For the work to be under way, and for what starting it has taken. */
const SETTLE_MS = 100

const busy = isolate(Busy)
await busy.start()
const bare = await bareWorker('bare-busy.js')

/** The p99 of the time between two turns of a timer of 1 ms, in ms: 1 and the delay. */
async function p99(): Promise<number> {
  await sleep(SETTLE_MS)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await sleep(WINDOW_MS)
  delay.disable()
  return delay.percentile(99) / 1e6
}

const samples = await interleave(
  {
    idle: p99,
    isolated: async () => {
      const working = busy.work()
      const delay = await p99()
      await busy.rest()
      checkWorked(await working)
      return delay
    },
    bare: async () => {
      const working = once(bare, 'message')
      bare.postMessage('work')
      const delay = await p99()
      bare.postMessage('rest')
      checkWorked(((await working) as [number])[0])
      return delay
    },
  },
  { rounds: 15, warmups: 1 },
)

function checkWorked(done: number): void {
  if (done === 0) throw new Error('The thread has not been busy')
}

const floors = [
  { floorWhat: 'nothing else running', floor: samples.idle, target: { atMost: 1.5 } },
  { floorWhat: 'a bare worker as busy', floor: samples.bare },
]
for (const floor of floors) {
  compare({
    what: "main loop's p99, a service busy in a thread",
    unit: 'ms',
    samples: samples.isolated,
    ...floor,
  })
}

await busy.stop()
await closed(bare)
