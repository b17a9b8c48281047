// Six services that crash at random, and callers that ask them all the while.
//   node --import tsx examples/resilient/main.ts [seconds]
// SEED repeats a series of crashes; LOG_LEVEL says how much of what happens is told (to stderr).
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { Host, type Isolated, type Isolation, Supervisor, isolate } from '../../src/index.ts'
import { Caller, type Question } from './caller.ts'
import { Tally, summary } from './tally.ts'
import { Digests, FALLS, Primes } from './workers.ts'

const CALLS_AT_ONCE = 4
/** How many primes there are below 0, 100, 200, …: what answers are held against. */
const PRIMES = [0, 25, 46, 62, 78, 95, 109, 125, 139, 154]

const seconds = Number(process.argv[2] ?? 30)
const seed = Number(process.env.SEED ?? Date.now() % 100_000)
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error('usage: main.ts [seconds], and a whole number in SEED')
  process.exit(2)
}

interface Member {
  readonly handle: Isolated<Primes> | Isolated<Digests>
  readonly isolation: Isolation
  readonly caller: Caller
}

function primes(label: string, isolation: Isolation): Member {
  const handle = isolate(Primes, { label, isolation })
  const ask = (): Question => {
    const hundreds = Math.floor(Math.random() * PRIMES.length)
    return { answer: handle.countBelow(hundreds * 100), right: PRIMES[hundreds] }
  }
  return { handle, isolation, caller: new Caller(ask) }
}

function digests(label: string, isolation: Isolation): Member {
  const handle = isolate(Digests, { label, isolation })
  const ask = (): Question => {
    const text = randomUUID()
    return { answer: handle.sha256(text), right: createHash('sha256').update(text).digest('hex') }
  }
  return { handle, isolation, caller: new Caller(ask) }
}

const above = [
  primes('primes', 'thread'),
  primes('primes here', 'inline'),
  digests('digests', 'thread'),
  digests('digests here', 'inline'),
]
const below = [primes('nested primes', 'thread'), digests('nested digests', 'inline')]
const members = [...above, ...below]

const backoff = { initial: 20, max: 100 }
// A spell of crashes is more than it allows for: it gives up, and the Host starts it again as a whole.
const nested = new Supervisor(
  below.map(({ handle }) => handle),
  { label: 'nested', strategy: 'rest-for-one', maxRestarts: 2, over: '3s', backoff },
)
const host = new Host([...above.map(({ handle }) => handle), nested], {
  maxRestarts: Infinity,
  backoff,
  logger: pino({ level: process.env.LOG_LEVEL ?? 'warn' }, pino.destination(2)),
})
const tallies = [
  ...members.map(({ handle, isolation, caller }) => new Tally(handle, isolation, caller)),
  new Tally(nested, 'supervisor'),
]

const running = host.run()
await host.maybeStart()
const ending = new AbortController()
const callers = members.flatMap(({ caller }) =>
  Array.from({ length: CALLS_AT_ONCE }, () => caller.run(ending.signal)),
)
await crashAtRandom()
// The callers go on meanwhile: what they ask of services that stop has to be answered, too.
await host.stop()
await running
ending.abort()
await Promise.race([Promise.all(callers), pause(2000, undefined, { ref: false })])

console.log(`${seconds} s of crashes, seed ${seed}`)
console.table(summary(tallies))
const wrong = members.reduce((sum, { caller }) => sum + caller.wrong, 0)
const unanswered = members.reduce((sum, { caller }) => sum + caller.unanswered, 0)
console.log(`wrong answers: ${wrong}, calls without an answer: ${unanswered}`)
if (wrong > 0 || unanswered > 0) process.exitCode = 1

async function crashAtRandom(): Promise<void> {
  const random = seeded(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const end = performance.now() + seconds * 1000
  while (performance.now() < end && host.state === 'running') {
    await pause(50 + random() * 200)
    const { handle, isolation } = pick(members)
    const how = pick(FALLS)
    // It may be down already; and who falls seldom answers.
    handle.fall(isolation === 'thread' ? how : 'work').catch(() => {})
  }
}

/** From 0 up to 1, the same numbers for the same seed. */
function seeded(state: number): () => number {
  return () => (state = ((state + 1) * 48_271) % 2_147_483_647) / 2_147_483_647
}
