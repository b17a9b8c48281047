// A dedicated worker, as workerpool's README calls it; a thread of its takes one task at a time, the others wait here.
import { fileURLToPath } from 'node:url'
import workerpool from 'workerpool'

export async function connect() {
  const pool = workerpool.pool(fileURLToPath(new URL('./threads/workerpool.mjs', import.meta.url)), {
    minWorkers: 1,
    maxWorkers: 1,
    workerType: 'thread',
  })
  const remote = await pool.proxy()
  return { add: (a, b) => remote.add(a, b), close: () => pool.terminate() }
}
