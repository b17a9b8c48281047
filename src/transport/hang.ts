import type { Clock } from '../base/clock.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { isInspected } from './inspected.ts'
import { type Pulse, type PulseLimits, watchPulse } from './pulse.ts'
import { captureStack } from './stack.ts'

export interface HangOptions {
  readonly pulse: Pulse
  readonly limits: PulseLimits
  readonly clock: Clock
  readonly threadId: number
  service(): string
  readonly warn: (text: string) => void
  /** It is to be ended, with this as the reason of the crash. */
  hung(reason: Error): void
}

/** Watches a thread for signs of life until the returned function is called. */
export function guardAgainstHang(options: HangOptions): () => void {
  const { pulse, limits, clock, threadId } = options
  let over = false
  const stackOf = async (): Promise<string> =>
    (await captureStack(threadId)) ??
    '    (its stack cannot be read: native code, or a thread started by a thread)'
  const warn = async (silentFor: number): Promise<void> => {
    const stack = await stackOf()
    if (!over)
      options.warn(`No sign of life from its thread for ${Math.round(silentFor)} ms; it is in:\n${stack}`)
  }
  const end = async (): Promise<void> => {
    const stack = await stackOf()
    const service = options.service()
    if (over) return
    options.hung(bulkheadError('ERR_THREAD_HUNG', { service, timeout: limits.timeout, stack }, { service }))
  }
  const stop = watchPulse(pulse, limits, clock, {
    warn: (silentFor) => void warn(silentFor),
    hung: () => void end(),
    inspected: isInspected,
  })
  return () => {
    over = true
    stop()
  }
}
