import type { Worker } from 'node:worker_threads'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { type Isolation, setLogger } from '../../src/index.ts'

const ran = { inline: 0, thread: 0 }

/** One behaviour, tried inline and in a thread: what is recorded, returned and thrown must be the same. */
export function both(name: string, test: (t: Test, isolation: Isolation) => Promise<void>): void {
  for (const isolation of ['inline', 'thread'] as const) {
    t.test(`${name} [${isolation}]`, async (t) => {
      ran[isolation] += 1
      await test(t, isolation)
    })
  }
}

/** No log lines among the test results. */
export function quiet(): void {
  setLogger(pino({ level: 'silent' }))
}

/** What a promise was rejected with. */
export async function failure(promise: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('It was expected to fail, and did not')
}

/** Resolves once `condition` holds; fails when that takes too long. */
export async function until(condition: () => unknown, what = 'the condition', ms = 5000): Promise<void> {
  const from = Date.now()
  while (!(await condition())) {
    if (Date.now() - from > ms) throw new Error(`Waited ${ms} ms for ${what}`)
    await sleep(5)
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const live = new Set<Worker>()
// From Node 22 on the thread of tsx's hooks is told of, too, once this turn is over.
await new Promise((resolve) => setImmediate(resolve))
process.on('worker', (worker) => {
  live.add(worker)
  worker.once('exit', () => live.delete(worker))
})

/** Threads that this thread has started and that have not ended. */
export function liveThreads(): number {
  return live.size
}

t.teardown(() => t.comment(`conformance: ${ran.inline} tests ran inline, ${ran.thread} in a thread`))

/** URL of a module below test/fixtures, named without its extension. */
export function fixture(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../fixtures/${name}.${extension}`, import.meta.url)
}
