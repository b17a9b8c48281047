import { Pool, type PoolOptions } from '../../src/index.ts'
import { until } from '../support/both.ts'

// Compiled where this is: each thread that has TypeScript to load pays for tsx.
const extension = import.meta.url.slice(-3)
export const TASKS = new URL(`../fixtures/tasks${extension}`, import.meta.url)
export const TYPESCRIPT_TASKS = new URL('../fixtures/tasks.ts', import.meta.url)
/** Tasks that use this library themselves. */
export const LIBRARY_TASKS = new URL(`../fixtures/library-tasks${extension}`, import.meta.url)

/** One thread unless told otherwise, so that a second task waits. */
export async function started(
  t: { teardown(done: () => unknown): void },
  options: Partial<PoolOptions> = {},
): Promise<Pool> {
  const pool = new Pool({ filename: TASKS, minThreads: 1, maxThreads: 1, execArgv: [], ...options })
  t.teardown(() => pool.stop({ timeout: 0 }).catch(() => {}))
  await pool.start()
  return pool
}

/** Tasks wait here until it is opened. */
export function gate(): { shared: SharedArrayBuffer; entered(): number; open(): void } {
  const shared = new SharedArrayBuffer(8)
  const state = new Int32Array(shared)
  return {
    shared,
    entered: () => Atomics.load(state, 0),
    open: () => {
      Atomics.store(state, 1, 1)
      Atomics.notify(state, 1)
    },
  }
}

/** Resolves once a task runs; its thread may have to start first. */
export function begun(entered: () => unknown): Promise<void> {
  return until(entered, 'the task to run')
}
