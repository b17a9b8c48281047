import { isBulkheadError } from '../errors/bulkhead-error.ts'
import type { ErrorCode } from '../errors/codes.ts'
import type { Tracer } from './channels.ts'
import type { CallContext, CallOutcome } from './events.ts'

/** How a call ended that Bulkhead itself ended; whatever else a call is rejected with before it began is a refusal. */
const OUTCOMES: Partial<Record<ErrorCode, CallOutcome>> = {
  ERR_CALL_TIMEOUT: 'timeout',
  ERR_SERVICE_STOPPED: 'stopped',
  ERR_SERVICE_CRASHED: 'crashed',
}

/** Who rejected a call: its method, the service's side, which may refuse it, or the caller's own side. */
export type RejectedBy = 'method' | 'service' | 'caller'

export function outcomeOf(error: unknown, by: RejectedBy, cancelled: boolean): CallOutcome {
  if (by === 'method') return 'error'
  const code = isBulkheadError(error) ? OUTCOMES[error.code] : undefined
  if (code) return code
  return cancelled ? 'aborted' : 'refused'
}

function isReasonOf(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && signal.reason === error
}

/** A call that somebody wants to know of: whoever knows more of how it ends notes it here. */
export class CallTrace {
  readonly context: CallContext
  rejectedBy: RejectedBy = 'caller'
  /** Its caller no longer wants it. */
  cancelled = false
  readonly #tracer: Tracer<CallContext>
  readonly #signal: AbortSignal | undefined
  #ended = false

  constructor(tracer: Tracer<CallContext>, context: CallContext, signal?: AbortSignal) {
    this.#tracer = tracer
    this.context = context
    this.#signal = signal
  }

  begin<T>(run: () => T): T {
    return this.#tracer.begin(this.context, run)
  }

  succeed(): void {
    if (this.#ended) return
    this.#ended = true
    this.context.outcome = 'ok'
    this.#tracer.end(this.context)
  }

  fail(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.context.outcome = outcomeOf(
      error,
      this.rejectedBy,
      this.cancelled || isReasonOf(error, this.#signal),
    )
    const code: unknown = codeOf(error)
    if (typeof code === 'string') this.context.code = code
    this.#tracer.fail(this.context, error)
  }

  /** A call that gives a stream lasts as long as that. */
  follow(value: unknown): unknown {
    if (!isIterator(value)) {
      this.context.result = value
      this.succeed()
      return value
    }
    return followed(value, this)
  }
}

function codeOf(error: unknown): unknown {
  try {
    return (error as { code?: unknown } | null | undefined)?.code
  } catch {
    // A getter that throws: the call has ended all the same.
    return undefined
  }
}

function isIterator(value: unknown): value is AsyncIterableIterator<unknown> {
  if (typeof value !== 'object' || value === null) return false
  const { next, [Symbol.asyncIterator]: iterate } = value as Partial<AsyncIterableIterator<unknown>>
  return typeof next === 'function' && typeof iterate === 'function'
}

function followed(source: AsyncIterableIterator<unknown>, trace: CallTrace): AsyncIterableIterator<unknown> {
  const step = async (take: () => Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> => {
    try {
      const result = await take()
      if (result.done) trace.succeed()
      return result
    } catch (error) {
      trace.rejectedBy = 'method'
      trace.fail(error)
      throw error
    }
  }
  const iterator: AsyncIterableIterator<unknown> = {
    next: () => step(() => source.next()),
    return: () => step(async () => (await source.return?.()) ?? { done: true, value: undefined }),
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
