import { bulkheadError } from '../errors/bulkhead-error.ts'

/** Why a thread that nobody ended has ended. */
export function reasonOfExit(
  service: string,
  /** `error`: of the worker's event, if there was one. */
  { exitCode, error }: { readonly exitCode: number; readonly error: unknown },
  lastWord: { readonly error: unknown } | undefined,
): unknown {
  if ((error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return bulkheadError('ERR_THREAD_OUT_OF_MEMORY', { service }, { cause: error })
  }
  // The thread's own word is whole, the worker's error event only what structured clone leaves of it.
  if (lastWord) return lastWord.error
  if (error !== undefined) return error
  return bulkheadError('ERR_THREAD_EXITED', { service, exitCode })
}
