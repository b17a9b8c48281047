import { type Worker, threadId } from 'node:worker_threads'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { type Isolation, setLogger } from '../../src/index.ts'
import { addTransport } from '../../src/isolate/transports.ts'
import { streamTransport } from './stream-transport.ts'
import { FOREVER_MS } from './patience.ts'

const ran = new Map<string, number>()

const places = placesToTry(process.env['BULKHEAD_TEST_STREAMS'])

/**
 * Those that ship, but where a test of the transport asks for its own instead: `process`, as a place of a third kind,
 * or `inline`, under that name, for files that ask which thread a service is on.
 */
function placesToTry(streams: string | undefined): string[] {
  if (streams === undefined) return ['inline', 'thread']
  const location = streams === 'inline' ? ({ kind: 'inline', threadId } as const) : undefined
  addTransport(streamTransport(location ?? { kind: 'process', pid: process.pid }))
  return [streams]
}

/** One behaviour, tried inline and in a thread: what is recorded, returned and thrown must be the same. */
export function both(name: string, test: (t: Test, isolation: Isolation) => Promise<void>): void {
  for (const isolation of places as Isolation[]) {
    t.test(`${name} [${isolation}]`, async (t) => {
      ran.set(isolation, (ran.get(isolation) ?? 0) + 1)
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

/** Resolves once `condition` holds; fails when it is clear that it never will. */
export async function until(condition: () => unknown, what = 'the condition'): Promise<void> {
  const from = performance.now()
  while (!(await condition())) {
    if (performance.now() - from > FOREVER_MS) throw new Error(`Waited ${FOREVER_MS} ms for ${what}`)
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

t.teardown(() => {
  for (const [place, count] of ran) t.comment(`conformance: ${count} tests ran in place: ${place}`)
})

/** URL of a module below test/fixtures, named without its extension. */
export function fixture(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../fixtures/${name}.${extension}`, import.meta.url)
}
