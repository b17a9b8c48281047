import type { Clock } from '../base/clock.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { isInspected } from './inspected.ts'
import { type Heartbeat, watchHeartbeat } from './heartbeat.ts'
import { UNREADABLE_STACK } from '../observe/log.ts'
import { captureStack } from './stack.ts'
import type { HangLimits } from './transport.ts'

export interface HangOptions {
  readonly heartbeat: Heartbeat
  readonly limits: HangLimits
  readonly clock: Clock
  readonly threadId: number
  service(): string
  readonly warn: (silentForMs: number, stack: string | undefined) => void
  /** It is to be ended, with this as the reason of the crash. */
  hung(reason: Error): void
}

/** Watches a thread for signs of life until the returned function is called. */
export function guardAgainstHang(options: HangOptions): () => void {
  const { heartbeat, limits, clock, threadId } = options
  let over = false
  const warn = async (silentFor: number): Promise<void> => {
    const stack = await captureStack(threadId, clock)
    if (!over) options.warn(silentFor, stack)
  }
  const end = async (): Promise<void> => {
    const stack = (await captureStack(threadId, clock)) ?? UNREADABLE_STACK
    const service = options.service()
    if (over) return
    options.hung(bulkheadError('ERR_THREAD_HUNG', { service, timeout: limits.timeout, stack }))
  }
  const stop = watchHeartbeat(heartbeat, limits, clock, {
    warn: (silentFor) => void warn(silentFor),
    hung: () => void end(),
    inspected: isInspected,
  })
  return () => {
    over = true
    stop()
  }
}
