// What becomes of 1,000 calls in flight when their thread is killed, and how soon?
//   node --import tsx bench/kill-in-flight.ts
import type { Worker } from 'node:worker_threads'
import { isBulkheadError, isolate, setLogger } from '../src/index.ts'
import { pino } from 'pino'
import { Doomed } from './fixtures/doomed.ts'

const CALLS = 1000
const ROUNDS = 5

// That it crashes is the point here, and no news.
setLogger(pino({ level: 'silent' }))

interface Outcome {
  readonly rejected: number
  /** With `ERR_SERVICE_CRASHED` and one `ERR_THREAD_EXITED` as the cause. */
  readonly right: number
  /** From the death of the thread, in ms. */
  readonly first: number
  readonly last: number
  readonly cause: unknown
}

/** `exit`: process.exit() from a timer in the thread; `terminate`: worker.terminate() from here. */
async function kill(how: 'exit' | 'terminate'): Promise<Outcome> {
  const workers: Worker[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  const diedAt = new SharedArrayBuffer(8)
  const handle = isolate(Doomed, { args: [diedAt] })
  await handle.start()
  process.off('worker', onWorker)
  const thread = workers.find(({ threadId }) => threadId === handle.threadId)

  const at: bigint[] = []
  const reasons: unknown[] = []
  const calls = Array.from({ length: CALLS }, (_, n) =>
    handle.never(n).catch((error: unknown) => {
      at.push(process.hrtime.bigint())
      reasons.push(error)
    }),
  )
  // All of them have arrived over there, and wait.
  if ((await handle.calls()) !== CALLS) throw new Error('Not all calls are in flight')

  const died = new BigInt64Array(diedAt)
  if (how === 'exit') await handle.exitSoon()
  else {
    died[0] = process.hrtime.bigint()
    void thread?.terminate()
  }
  await Promise.all(calls)
  await handle.stop()

  const { crashReason } = handle
  const right = reasons.filter(
    (error) =>
      isBulkheadError(error, 'ERR_SERVICE_CRASHED') &&
      error.cause === crashReason &&
      isBulkheadError(error.cause, 'ERR_THREAD_EXITED'),
  )
  const since = (moment: bigint | undefined): number => Number((moment ?? 0n) - (died[0] ?? 0n)) / 1e6
  return {
    rejected: reasons.length,
    right: right.length,
    first: since(at[0]),
    last: since(at.at(-1)),
    cause: crashReason,
  }
}

for (const how of ['exit', 'terminate'] as const) {
  const outcomes: Outcome[] = []
  for (let round = 0; round < ROUNDS; round++) outcomes.push(await kill(how))
  const short = outcomes.filter(({ rejected, right }) => rejected < CALLS || right < CALLS)
  const lasts = outcomes.map(({ last }) => last).sort((a, b) => a - b)
  const { rejected, right, cause } = short[0] ?? outcomes[0]!
  console.log(
    `${how === 'exit' ? 'process.exit() in the thread' : 'worker.terminate()'}: ` +
      `${rejected} of ${CALLS} calls rejected, ${right} with ERR_SERVICE_CRASHED and the cause; from the thread's death ` +
      `to the last rejection ${lasts[Math.floor(ROUNDS / 2)]?.toFixed(1)} ms ` +
      `(median of ${ROUNDS}; ${lasts[0]?.toFixed(1)} to ${lasts.at(-1)?.toFixed(1)})`,
  )
  console.log(`  cause: ${String(cause)}`)
  if (short.length > 0) process.exitCode = 1
}
