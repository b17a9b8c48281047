import type { Clock } from '../base/clock.ts'
import type { HangLimits } from './transport.ts'

/**
 * Shared with a thread: the thread counts up as long as its event loop turns, without any message. Beside the count the
 * side that can tell notes whether an inspector is open.
 */
export interface Heartbeat {
  readonly counter: SharedArrayBuffer
  /** How often the thread counts, in ms. */
  readonly every: number
}

export interface HeartbeatWatch {
  warn(silentFor: number): void
  hung(silentFor: number): void
  /** Whether an inspector is open: it may hold the thread, which is no hang. */
  inspected(): boolean
}

const COUNT = 0
const INSPECTED = 1
const FASTEST_BEAT_MS = 10
const SLOWEST_BEAT_MS = 1000

/** Undefined where nothing is to be watched. */
export function makeHeartbeat({ warning, timeout }: HangLimits): Heartbeat | undefined {
  const shortest = Math.min(warning, timeout)
  if (shortest === Infinity) return undefined
  const every = Math.min(Math.max(shortest / 4, FASTEST_BEAT_MS), SLOWEST_BEAT_MS)
  return { counter: new SharedArrayBuffer(8), every }
}

/**
 * The watched side, until the returned function is called. Unref'd: it keeps no thread alive. With `inspected` it is this
 * side that notes an open inspector.
 */
export function beat({ counter, every }: Heartbeat, inspected?: () => boolean): () => void {
  const shared = new Int32Array(counter)
  const tick = (): void => {
    Atomics.add(shared, COUNT, 1)
    if (inspected) Atomics.store(shared, INSPECTED, inspected() ? 1 : 0)
  }
  tick()
  const timer = setInterval(tick, every).unref()
  return () => clearInterval(timer)
}

export function isNotedAsInspected({ counter }: Heartbeat): boolean {
  return Atomics.load(new Int32Array(counter), INSPECTED) === 1
}

/**
 * Looks at the counter as often as the thread is to move it. Each look counts for one interval at the most: while this
 * thread itself was blocked, or the whole process was suspended, nothing was seen of the other.
 */
export function watchHeartbeat(
  heartbeat: Heartbeat,
  limits: HangLimits,
  clock: Clock,
  watch: HeartbeatWatch,
): () => void {
  const shared = new Int32Array(heartbeat.counter)
  let last = Atomics.load(shared, COUNT)
  let lookedAt = clock.now()
  let silentFor = 0
  let warned = false
  let cancel: (() => void) | undefined

  const look = (): void => {
    const now = clock.now()
    const current = Atomics.load(shared, COUNT)
    const inspected = watch.inspected()
    // For the threads that the watched one watches in turn.
    Atomics.store(shared, INSPECTED, inspected ? 1 : 0)
    if (current !== last) warned = false
    if (current !== last || inspected) silentFor = 0
    else silentFor += Math.min(now - lookedAt, heartbeat.every * 2)
    last = current
    lookedAt = now
    if (silentFor >= limits.timeout) {
      watch.hung(silentFor)
      return
    }
    if (silentFor >= limits.warning && !warned) {
      warned = true
      watch.warn(silentFor)
    }
    schedule()
  }
  const schedule = (): void => {
    cancel = clock.after(heartbeat.every, look, { unref: true })
  }
  schedule()
  return () => cancel?.()
}
