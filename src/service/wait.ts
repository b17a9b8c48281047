import { type Clock, nextTurn } from '../base/clock.ts'
import { ignoreRejection } from '../base/deferred.ts'
import type { Duration } from '../base/duration.ts'

/** Something to wait for: a promise, a signal (done when aborted), or a function whose signal aborts if the wait ends first. */
export type Work<T = unknown> = PromiseLike<T> | AbortSignal | ((signal: AbortSignal) => PromiseLike<T>)

/** What a work gives: a signal gives its reason. */
export type WorkValue<W> = W extends AbortSignal
  ? unknown
  : W extends (signal: AbortSignal) => PromiseLike<infer T>
    ? T
    : W extends PromiseLike<infer T>
      ? T
      : never

export type WorkResults<W> = W extends readonly unknown[]
  ? { -readonly [K in keyof W]: WorkValue<W[K]> | undefined }
  : [WorkValue<W> | undefined]

export interface WaitOptions {
  /**
   * How long is waited, in milliseconds or with a unit. Beyond it the wait resolves, with `timedOut`.
   * @default Infinity
   */
  timeout?: Duration
}

export interface WaitResult<R = unknown[]> {
  /** Whether the service stopped or crashed before enough works were done. */
  readonly stopped: boolean
  /** Whether the time was over before enough works were done. */
  readonly timedOut: boolean
  /** What the works gave, in their order; undefined for those that were not done. */
  readonly results: R
}

interface WaitContext {
  /** Aborts when the service stops or crashes. */
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Milliseconds. */
  readonly timeout: number
  /** How many works must be done; undefined waits for the stop alone. */
  readonly enough: number | undefined
}

/** Waits until enough works are done, the service stops, the time is over, or a work rejects. Leaves nothing behind. */
export async function waitFor(works: readonly Work[], context: WaitContext): Promise<WaitResult> {
  const { signal, clock, timeout, enough } = context
  const results: unknown[] = works.map(() => undefined)
  // Signals of functions that are not done; the caller's promises and signals are never touched.
  const running = new Set<AbortController>()
  const cleanups: (() => void)[] = []
  let stopped = signal.aborted
  let timedOut = false
  // What comes first decides: a stop a moment later does not change the result.
  let over = false
  const end = (outcome: () => void): void => {
    if (over) return
    over = true
    outcome()
  }

  try {
    if (stopped) {
      // They may be rejected by the same stop, with nobody left to look.
      for (const work of works) if (isPromise(work)) ignoreRejection(work)
    } else if (enough !== 0) {
      await new Promise<void>((resolve, reject) => {
        let done = 0
        const finish = (index: number, value: unknown): void => {
          if (over) return
          results[index] = value
          done += 1
          if (done === enough) end(resolve)
        }
        const fail = (error: unknown): void => end(() => reject(error))
        cleanups.push(onAbort(signal, () => end(() => ((stopped = true), resolve()))))
        if (timeout !== Infinity) {
          cleanups.push(clock.after(timeout, () => end(() => ((timedOut = true), resolve()))))
        }
        works.forEach((work, index) => {
          if (work instanceof AbortSignal) {
            cleanups.push(onAbort(work, () => finish(index, work.reason)))
            return
          }
          if (typeof work !== 'function') {
            work.then((value) => finish(index, value), fail)
            return
          }
          const own = new AbortController()
          running.add(own)
          const settled = (): unknown => running.delete(own)
          begin(work, own.signal).then(
            (value) => (settled(), finish(index, value)),
            (error: unknown) => (settled(), fail(error)),
          )
        })
      })
    }
  } finally {
    for (const cleanup of cleanups) cleanup()
    for (const controller of running) controller.abort()
  }
  // A loop around a wait on a stopped service must not starve the timers that end its task.
  if (stopped) await nextTurn()
  return { stopped, timedOut, results }
}

function isPromise(work: Work): work is PromiseLike<unknown> {
  return typeof work !== 'function' && !(work instanceof AbortSignal)
}

async function begin(
  work: (signal: AbortSignal) => PromiseLike<unknown>,
  signal: AbortSignal,
): Promise<unknown> {
  return work(signal)
}

function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener()
    return () => {}
  }
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}
