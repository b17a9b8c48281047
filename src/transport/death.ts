import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { ConnectionExit } from './connection.ts'

/** Why a thread that nobody ended has ended. */
export function deathReason(
  service: string,
  exit: ConnectionExit,
  uncaught: { error: unknown } | undefined,
): unknown {
  const { exitCode, error } = exit
  if ((error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return bulkheadError('ERR_THREAD_OUT_OF_MEMORY', { service }, { service, cause: error })
  }
  // The thread's own word is whole, the worker's error event only what structured clone leaves of it.
  if (uncaught) return uncaught.error
  if (error !== undefined) return error
  return bulkheadError('ERR_THREAD_EXITED', { service, exitCode }, { service, exitCode })
}
