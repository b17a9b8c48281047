// oxlint-disable unicorn/require-post-message-target-origin -- a thread's port has no origin
import type { Worker } from 'node:worker_threads'
import { median } from './harness.ts'

/** How the benches of calls ask a thread for the sum of two numbers. */
export type Add = (a: number, b: number) => PromiseLike<number>

export const IN_FLIGHT = 100

/** The least there is: a request, a reply and what tells which belongs to which. */
export function bareClient(worker: Worker): Add {
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

/** Calls a second, with `IN_FLIGHT` of them under way at any time. */
export async function throughput(add: Add, calls: number): Promise<number> {
  let left = calls
  const lane = async (): Promise<void> => {
    while (left > 0) {
      const n = left--
      check(n, await add(n, 1))
    }
  }
  const from = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return calls / ((performance.now() - from) / 1000)
}

/** The median of calls made one after the other, in µs. */
export async function latency(add: Add, calls: number): Promise<number> {
  const took: number[] = []
  for (let n = 0; n < calls; n++) {
    const from = performance.now()
    const sum = await add(n, 1)
    took.push((performance.now() - from) * 1000)
    check(n, sum)
  }
  return median(took)
}

function check(n: number, sum: number): void {
  if (sum !== n + 1) throw new Error(`${n} + 1 was said to be ${sum}`)
}
