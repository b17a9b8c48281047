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

/**
 * How a stream ended: read to its end or let go of; by what the service threw; or cut short, because one side went down.
 */
export type StreamEnd = 'done' | { readonly error: unknown } | { readonly closedWith: unknown }

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
  #begun = false
  #ended = false

  constructor(tracer: Tracer<CallContext>, context: CallContext, signal?: AbortSignal) {
    this.#tracer = tracer
    this.context = context
    this.#signal = signal
  }

  begin<T>(run: () => T): T {
    this.#begun = true
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
    // One that is refused has a beginning, too: whoever traces it pairs the two.
    if (!this.#begun) this.begin(() => {})
    this.context.outcome = outcomeOf(
      error,
      this.rejectedBy,
      this.cancelled || isReasonOf(error, this.#signal),
    )
    const code: unknown = codeOf(error)
    if (typeof code === 'string') this.context.code = code
    this.#tracer.fail(this.context, error)
  }

  /** A call that gives a stream lasts as long as that; any other has ended well. */
  streamEnded(end: StreamEnd): void {
    if (end === 'done') this.succeed()
    else if ('error' in end) {
      this.rejectedBy = 'method'
      this.fail(end.error)
    } else {
      this.rejectedBy = 'caller'
      this.fail(end.closedWith)
    }
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
