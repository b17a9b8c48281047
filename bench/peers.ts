// What does a call into a thread cost here, and what with other libraries? Each beside the thread itself.
import { existsSync, readFileSync } from 'node:fs'
import { isolate } from '../src/index.ts'
import { type Add, bareClient, IN_FLIGHT, latency, throughput } from './call-loops.ts'
import { Adder } from './fixtures/services.ts'
import { bareWorker, closed, compare, type Contender, interleave, note } from './harness.ts'

const ROUNDS = 21
const PEERS = ['comlink', 'threads', 'piscina', 'workerpool', 'comedy']
/** For one that never answers on this Node. */
const PATIENCE_MS = 10_000

/** From where this runs, compiled: they are JavaScript, where their node_modules are. */
const folder = new URL('../../bench/peers/', import.meta.url)

interface Peer {
  readonly add: Add
  close(): unknown
}

async function connect(name: string): Promise<Peer> {
  const module = (await import(new URL(`${name}.mjs`, folder).href)) as {
    connect(options: { inFlight: number }): Promise<Peer>
  }
  const peer = await module.connect({ inFlight: IN_FLIGHT })
  const sum = await peer.add(2, 3)
  if (sum !== 5) throw new Error(`2 + 3 was said to be ${sum}`)
  return peer
}

async function soon<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const manifest = (name: string): URL => new URL(`node_modules/${name}/package.json`, folder)
const isInstalled = (name: string): boolean => existsSync(manifest(name))

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(manifest(name), 'utf8')) as { version: string }).version
}

const bareThread = await bareWorker('bare-calls.js')
const bare = bareClient(bareThread)
const adder = isolate(Adder)
await adder.start()

const clients = new Map<string, Peer>([
  ['bulkhead', { add: (a, b) => adder.add(a, b), close: () => adder.stop() }],
])
for (const name of PEERS) {
  try {
    clients.set(`${name} ${versionOf(name)}`, await soon(connect(name)))
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
    note(
      `Left out: ${name}, ${isInstalled(name) ? `which does not work here (${reason})` : 'which is not installed'}.`,
    )
  }
}

function contenders(sample: (add: Add) => Promise<number>): Record<string, Contender> {
  const named = Array.from(clients, ([name, { add }]) => [name, () => sample(add)] as const)
  return { bare: () => sample(bare), ...Object.fromEntries(named) }
}

const many = await interleave(
  contenders((add) => throughput(add, 5000)),
  { rounds: ROUNDS, warmups: 3 },
)
const single = await interleave(
  contenders((add) => latency(add, 500)),
  { rounds: ROUNDS, warmups: 2 },
)

const questions = [
  { what: `${IN_FLIGHT} calls in flight`, unit: 'calls/s', samples: many },
  { what: 'one call at a time, p50', unit: 'µs', samples: single },
]
for (const { what, unit, samples } of questions) {
  for (const name of clients.keys()) {
    compare({
      what: `${what}: ${name}`,
      unit,
      samples: samples[name]!,
      floorWhat: 'bare postMessage',
      floor: samples['bare']!,
    })
  }
}

for (const peer of clients.values()) await peer.close()
await closed(bareThread)
// Some leave timers or threads behind.
process.stdout.write('', () => process.exit())
