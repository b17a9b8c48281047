import { inspect } from 'node:util'

/** One line on a thrown value, for messages. */
export function describe(reason: unknown): string {
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`
  return typeof reason === 'string' ? reason : inspect(reason, { depth: 1, breakLength: Infinity })
}

/** Nothing for no error, one error as itself, several as one `AggregateError`. */
export function combineErrors(errors: readonly unknown[], message: string): unknown {
  return errors.length > 1 ? new AggregateError(errors, message) : errors[0]
}
