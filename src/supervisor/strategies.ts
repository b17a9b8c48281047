import type { RestartType } from './child.ts'

/**
 * What a supervisor does when a child crashes: OTP's three strategies, mode's forfeits, and `crash`, which passes the
 * crash up.
 */
export type Strategy =
  | 'one-for-one'
  | 'one-for-all'
  | 'rest-for-one'
  | 'forfeit-one-for-one'
  | 'forfeit-one-for-all'
  | 'crash'

export const STRATEGIES: readonly Strategy[] = [
  'one-for-one',
  'one-for-all',
  'rest-for-one',
  'forfeit-one-for-one',
  'forfeit-one-for-all',
  'crash',
]

/** What a plan needs to know of a child. */
export interface ChildFacts {
  readonly restart: RestartType
  /** It had come to its end, and was left so, before what the plan is for happened. */
  readonly atRest: boolean
}

/** How a child went down: crashed, or stopped by someone else than the supervisor. */
export type Fall = 'crashed' | 'stopped'

export interface Plan {
  readonly action: 'restart' | 'forfeit' | 'escalate' | 'ignore'
  /** Indices of children, in the order in which they are to be stopped. */
  readonly stop: readonly number[]
  /** Indices of children, in the order in which they are to be started, once all that is to be stopped is down. */
  readonly start: readonly number[]
}

/** Strategies that plan for several children at once, so that one plan has to know of the other. */
export function isCollective(strategy: Strategy): boolean {
  return strategy === 'one-for-all' || strategy === 'rest-for-one' || strategy === 'forfeit-one-for-all'
}

/** Strategies that restart, rather than to give children up or to pass the crash on. */
export function isRestarting(strategy: Strategy): boolean {
  return strategy === 'one-for-one' || strategy === 'one-for-all' || strategy === 'rest-for-one'
}

/**
 * What is to be done about the child at `index`. Its restart type decides whether anything is, the strategy what. A mere
 * stop is a matter for the restarting strategies alone: there is no crash to pass up or to forfeit for.
 */
export function planFor(
  strategy: Strategy,
  children: readonly ChildFacts[],
  index: number,
  fall: Fall = 'crashed',
): Plan {
  const restarts = isRestarting(strategy)
  const type = children[index]?.restart
  const acts =
    fall === 'crashed' ? type === 'permanent' || type === 'transient' : type === 'permanent' && restarts
  if (!acts) return { action: 'ignore', stop: [], start: [] }
  if (strategy === 'crash') return { action: 'escalate', stop: [], start: [] }

  const affected = children.map((_, at) => at).filter((at) => isAffected(strategy, at, index))
  const stop = affected.toReversed()
  if (!restarts) return { action: 'forfeit', stop, start: [] }
  return { action: 'restart', stop, start: affected.filter((at) => at === index || comesBack(children[at]!)) }
}

function isAffected(strategy: Strategy, at: number, index: number): boolean {
  switch (strategy) {
    case 'one-for-all':
    case 'forfeit-one-for-all':
      return true
    case 'rest-for-one':
      return at >= index
    default:
      return at === index
  }
}

/** As a sibling of the one that went down: temporary children never, those that had ended for good neither. */
function comesBack({ restart, atRest }: ChildFacts): boolean {
  return restart !== 'temporary' && !(restart === 'transient' && atRest)
}
