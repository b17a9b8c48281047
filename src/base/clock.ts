/** Where logic that waits gets its time from; tests pass one they advance by hand. */
export interface Clock {
  /** Milliseconds that only go forward, the same in all threads of the process. */
  now(): number
  /** Milliseconds since the epoch, as the machine's clock has it. */
  wallTime(): number
  /** Calls `callback` once after `ms`; `Infinity` never. Returns what cancels it. */
  after(ms: number, callback: () => void, options?: { unref?: boolean }): () => void
}

// setTimeout fires at once for 2^31 ms and more: longer waits are made of several.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

const nothingToCancel = (): void => {}

// One clock for all threads. Not performance.now(): the first use of that loads a dozen of Node's modules, in each thread.
function now(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}

export const systemClock: Clock = {
  now,
  wallTime: () => Date.now(),
  after(ms, callback, { unref = false } = {}) {
    if (ms === Infinity) return nothingToCancel
    const due = now() + ms
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const left = due - now()
      timer = setTimeout(
        () => {
          // Node rounds timers down to whole milliseconds: a wait must never end early.
          if (now() < due) arm()
          else callback()
        },
        Math.min(Math.max(Math.ceil(left), 0), LONGEST_TIMEOUT_MS),
      )
      if (unref) timer.unref()
    }
    arm()
    return () => clearTimeout(timer)
  },
}

/** Resolves after the next turn of the event loop: timers and I/O that are due have run by then. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
