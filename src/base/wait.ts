import type { Clock } from './clock.ts'

/**
 * Resolves after `ms` milliseconds (`Infinity`: never) or when `signal` aborts, whichever comes first, and leaves
 * neither a timer nor a listener behind. Never rejects. With a signal that is already aborted it resolves in the next
 * microtask: a loop around it has to yield to the event loop by itself.
 */
export function delay(ms: number, { clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal.addEventListener('abort', done, { once: true })
  })
}
