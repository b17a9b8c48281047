import type { Duration } from '../base/duration.ts'
import { numberFrom, toMilliseconds } from '../errors/arguments.ts'

/** How long a restart waits, as in suture: the first not at all, each later one longer. */
export interface BackoffOptions {
  /** How long the second restart waits, in milliseconds or with a unit. @default '100ms' */
  initial?: Duration
  /** By how much each wait is longer than the one before, as a factor; at least 1. @default 2 */
  factor?: number
  /** The longest that a restart waits, in milliseconds or with a unit. @default '5s' */
  max?: Duration
  /** By up to which part of itself a wait is off at random, either way; from 0 to 1. @default 0.2 */
  jitter?: number
}

/** In milliseconds. */
export interface BackoffPolicy {
  readonly initial: number
  readonly factor: number
  readonly max: number
  readonly jitter: number
}

/** @throws `ERR_INVALID_DURATION`, `ERR_INVALID_ARGUMENT` */
export function backoffPolicy(options: BackoffOptions | false = {}): BackoffPolicy | undefined {
  if (options === false) return undefined
  const { initial = 100, factor = 2, max = 5000, jitter = 0.2 } = options
  numberFrom('backoff.factor', factor, { least: 1 })
  numberFrom('backoff.jitter', jitter, { least: 0, most: 1 })
  return { initial: toMilliseconds(initial), factor, max: toMilliseconds(max), jitter }
}

/**
 * Milliseconds that restart number `attempt` waits, counted from 0 since the last quiet time. Never above `max`.
 * @param random from 0 up to, but not including, 1
 */
export function backoffDelay(
  policy: BackoffPolicy | undefined,
  attempt: number,
  random: () => number,
): number {
  if (!policy || attempt <= 0) return 0
  const { initial, factor, max, jitter } = policy
  if (initial === 0) return 0
  // May be Infinity after very many attempts, which min() takes care of.
  const exact = Math.min(initial * factor ** (attempt - 1), max)
  return Math.min(Math.round(exact * (1 + jitter * (2 * random() - 1))), max)
}

interface BackoffContext {
  /** Milliseconds without a crash after which the next restart is immediate again. */
  readonly quiet: number
  readonly now: () => number
  readonly random: () => number
}

/** Counts the attempts of one supervisor. */
export class Backoff {
  readonly #policy: BackoffPolicy | undefined
  readonly #context: BackoffContext
  #attempt = 0
  #lastAt: number | undefined

  constructor(policy: BackoffPolicy | undefined, context: BackoffContext) {
    this.#policy = policy
    this.#context = context
  }

  /** Milliseconds that the restart for a crash at this moment waits. */
  next(): number {
    const { quiet, now, random } = this.#context
    const at = now()
    if (this.#lastAt !== undefined && at - this.#lastAt >= quiet) this.#attempt = 0
    this.#lastAt = at
    return backoffDelay(this.#policy, this.#attempt++, random)
  }
}
