// One thread, and no task in flight that waits in Piscina's own queue.
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'

export async function connect({ inFlight }) {
  const pool = new Piscina({
    filename: fileURLToPath(new URL('./threads/piscina.mjs', import.meta.url)),
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: inFlight,
  })
  return { add: (a, b) => pool.run({ a, b }), close: () => pool.destroy() }
}
