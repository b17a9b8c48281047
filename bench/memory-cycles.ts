// Does memory stay where it is over 1,000 starts and stops of an isolated service, and over 100,000 calls with a callback?
//   node --import tsx bench/memory-cycles.ts
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isolate } from '../src/index.ts'
import { buildBenches, cleanEnvironment, compiled } from './build.ts'
import { CalledBack } from './fixtures/called-back.ts'
import { Idle } from './fixtures/services.ts'
import { collectGarbage } from './harness.ts'

const CYCLES = 1000
const CALLS = 100_000
const IN_FLIGHT = 100
const MARKS = [0.1, 0.25, 0.5, 0.75, 1]

/** What the second half may add, in MB: the first pays for caches, compiled code and the allocator's own. */
const HEAP_MAY_GROW = 0.5
const RSS_MAY_GROW = 8

interface Reading {
  readonly at: number
  readonly rss: number
  readonly heap: number
  readonly threadHeap?: number
}

// Compiled, so that no loader is measured: as TypeScript this file only builds itself, and runs what was built.
if (import.meta.url.endsWith('.ts')) runCompiled()
else await measureAll()

function runCompiled(): void {
  buildBenches()
  const { status } = spawnSync(process.execPath, [compiled('memory-cycles')], {
    env: cleanEnvironment(),
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}

async function startAndStop(): Promise<void> {
  const handle = isolate(Idle)
  await handle.start()
  await handle.stop()
}

async function measureAll(): Promise<void> {
  report(`${CYCLES} start/stop cycles, a new handle each`, await follow(CYCLES, startAndStop))

  const one = isolate(Idle)
  const again = async (): Promise<void> => {
    await one.start()
    await one.stop()
  }
  report(`${CYCLES} start/stop cycles of one handle`, await follow(CYCLES, again))

  const handle = isolate(CalledBack)
  await handle.start()
  let calledBack = 0
  const call = async (n: number): Promise<void> => {
    await handle.run(n, () => void (calledBack += 1))
  }
  const readings = await follow(CALLS, call, { lanes: IN_FLIGHT, threadHeap: () => handle.heapUsed() })
  report(`${CALLS} calls with a callback`, readings)
  await handle.stop()
  if (calledBack !== CALLS) throw new Error(`${calledBack} callbacks came for ${CALLS} calls`)
}

async function follow(
  times: number,
  work: (n: number) => Promise<void>,
  { lanes = 1, threadHeap }: { lanes?: number; threadHeap?: () => Promise<number> } = {},
): Promise<Reading[]> {
  const readings: Reading[] = []
  let done = 0
  for (const mark of MARKS) {
    const until = times * mark
    const lane = async (): Promise<void> => {
      while (done < until) await work(done++)
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    // First over there: what it lets go of is let go of here.
    const other = await threadHeap?.()
    await settle()
    const { rss, heapUsed } = process.memoryUsage()
    readings.push({ at: mark, rss, heap: heapUsed, ...(other === undefined ? {} : { threadHeap: other }) })
  }
  return readings
}

/** Finalizers run a turn after the collection, and what they free goes in the next. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    collectGarbage()
    await sleep(50)
  }
}

function report(what: string, readings: readonly Reading[]): void {
  console.log(what)
  for (const { at, rss, heap, threadHeap } of readings) {
    const thread = threadHeap === undefined ? '' : `   the thread's heapUsed ${mb(threadHeap)} MB`
    console.log(`  ${String(at * 100).padStart(3)} %   RSS ${mb(rss)} MB   heapUsed ${mb(heap)} MB${thread}`)
  }
  const half = readings.find(({ at }) => at === 0.5)!
  const end = readings.at(-1)!
  const grown = {
    heap: (end.heap - half.heap) / 2 ** 20,
    thread: ((end.threadHeap ?? 0) - (half.threadHeap ?? 0)) / 2 ** 20,
    rss: (end.rss - half.rss) / 2 ** 20,
  }
  const flat = grown.heap <= HEAP_MAY_GROW && grown.thread <= HEAP_MAY_GROW && grown.rss <= RSS_MAY_GROW
  if (!flat) process.exitCode = 1
  console.log(
    `  ${flat ? 'flat' : 'NOT FLAT'}: the second half added ${grown.heap.toFixed(2)} MB of heap ` +
      `(${HEAP_MAY_GROW} may be) and ${grown.rss.toFixed(1)} MB of RSS (${RSS_MAY_GROW} may be)`,
  )
}

function mb(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(2).padStart(6)
}
