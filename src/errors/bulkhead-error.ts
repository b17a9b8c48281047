import { type ErrorCode, type ErrorParameters, MESSAGES } from './codes.ts'

export interface BulkheadErrorDetails {
  cause?: unknown
  /** Path of the service it happened to. */
  service?: string
  /** The step of start or stop it happened in. */
  phase?: string
  /** Exit code of the thread that ended. */
  exitCode?: number
}

/** The one class of Bulkhead's own errors; `code` tells them apart. */
export class BulkheadError extends Error {
  static {
    // On the prototype, like the built-in ones: the stack's first line is made before fields are set.
    Object.defineProperty(this.prototype, 'name', {
      value: 'BulkheadError',
      writable: true,
      configurable: true,
    })
  }

  declare readonly name: 'BulkheadError'
  readonly code: ErrorCode
  declare readonly service?: string
  declare readonly phase?: string
  declare readonly exitCode?: number

  constructor(code: ErrorCode, message: string, details: BulkheadErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    // Defined only where they apply, so that printing an error does not list empty fields.
    if (details.service !== undefined) this.service = details.service
    if (details.phase !== undefined) this.phase = details.phase
    if (details.exitCode !== undefined) this.exitCode = details.exitCode
  }
}

/**
 * A `BulkheadError` with the message of the table. `service`, `phase` and `exitCode` are taken from the parameters
 * where they are among them: `details` has only what is not.
 */
export function bulkheadError<C extends ErrorCode>(
  code: C,
  parameters: ErrorParameters<C>,
  details?: Omit<BulkheadErrorDetails, keyof ErrorParameters<C>>,
): BulkheadError {
  const message = (MESSAGES[code] as (parameters: ErrorParameters<C>) => string)(parameters)
  const { service, phase, exitCode } = parameters as BulkheadErrorDetails
  const error = new BulkheadError(code, message, { service, phase, exitCode, ...details })
  Error.captureStackTrace(error, bulkheadError)
  return error
}

/** For whoever waits for `what` when the service ends: by a crash if there was one, else by a stop. */
export function endedError(what: string, service: string, crash?: { reason: unknown }): BulkheadError {
  return crash
    ? bulkheadError('ERR_SERVICE_CRASHED', { what, service }, { cause: crash.reason })
    : bulkheadError('ERR_SERVICE_STOPPED', { what, service })
}

/** Whether `error` is Bulkhead's (with that code, if given), also when it was made in another realm or copy. */
export function isBulkheadError(error: unknown, code?: ErrorCode): error is BulkheadError {
  if (typeof error !== 'object' || error === null) return false
  try {
    const candidate = error as { name?: unknown; code?: unknown }
    return (
      candidate.name === 'BulkheadError' &&
      typeof candidate.code === 'string' &&
      Object.hasOwn(MESSAGES, candidate.code) &&
      (code === undefined || candidate.code === code)
    )
  } catch {
    return false
  }
}

/** What cancelled work throws by custom of the platform. */
export function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** What structured clone throws for what it cannot take; Node has an error of its own for a port that is not moved. */
export function isDataCloneError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  return error.name === 'DataCloneError' || code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST'
}
