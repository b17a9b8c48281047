// How much memory does an isolated service take, beside its thread?
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isolate } from '../src/index.ts'
import { Idle } from './fixtures/services.ts'
import { bareWorker, collectGarbage, compare, interleave } from './harness.ts'

const THREADS = 8
/** For what the start has left behind to be gone. */
const SETTLE_MS = 500

type Kind = 'isolated' | 'comlink' | 'empty'

/** MB a thread, in a process of its own: what one has taken before, the next would find there already. */
async function fresh(kind: Kind): Promise<number> {
  const args = [fileURLToPath(import.meta.url), kind]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return Number(stdout)
}

async function growth(kind: Kind): Promise<number> {
  // The first pays for what all threads share.
  const first = await spawn(kind)
  const before = await resident()
  const others = []
  for (let i = 0; i < THREADS; i++) others.push(await spawn(kind))
  const after = await resident()
  return first && others.length > 0 ? (after - before) / THREADS / 2 ** 20 : NaN
}

async function spawn(kind: Kind): Promise<object> {
  if (kind !== 'isolated') return bareWorker(kind === 'comlink' ? 'bare-comlink.js' : 'bare-close.js')
  const handle = isolate(Idle)
  await handle.start()
  return { handle }
}

async function resident(): Promise<number> {
  await sleep(SETTLE_MS)
  collectGarbage()
  return process.memoryUsage.rss()
}

const kind = process.argv[2] as Kind | undefined
if (kind) {
  console.log(await growth(kind))
  process.exit()
}

const samples = await interleave(
  { isolated: () => fresh('isolated'), comlink: () => fresh('comlink'), empty: () => fresh('empty') },
  { rounds: 7, warmups: 1 },
)
compare({
  what: 'memory of an isolated service',
  unit: 'MB',
  samples: samples.isolated,
  floorWhat: 'bare Worker that imports comlink',
  floor: samples.comlink,
  target: { atMost: 1.2 },
})
compare({
  what: 'memory of an isolated service',
  unit: 'MB',
  samples: samples.isolated,
  floorWhat: 'bare Worker that imports nothing',
  floor: samples.empty,
})
