import type { RestartType } from './child.ts'

/** What is done about the children that a crash affects. */
type Action = 'restart' | 'forfeit' | 'escalate'

/** Which those are: the crashed child alone, it and those after it, or all. */
type Affected = 'itself' | 'rest' | 'all'

/**
 * What a supervisor does when a child crashes: OTP's three strategies, mode's forfeits, and `crash`, which passes the
 * crash up. A strategy is a row here, and everything else follows from it.
 */
const TABLE = {
  'one-for-one': { action: 'restart', affected: 'itself' },
  'one-for-all': { action: 'restart', affected: 'all' },
  'rest-for-one': { action: 'restart', affected: 'rest' },
  'forfeit-one-for-one': { action: 'forfeit', affected: 'itself' },
  'forfeit-one-for-all': { action: 'forfeit', affected: 'all' },
  crash: { action: 'escalate', affected: 'itself' },
} as const satisfies Record<string, { action: Action; affected: Affected }>

/**
 * What a supervisor does when a child crashes: it restarts that child (`'one-for-one'`), all (`'one-for-all'`), or it and
 * those after it (`'rest-for-one'`), as in OTP; stops instead of restarting (`'forfeit-one-for-one'`,
 * `'forfeit-one-for-all'`), or crashes itself (`'crash'`), as in mode.
 */
export type Strategy = keyof typeof TABLE

export const STRATEGIES = Object.keys(TABLE) as readonly Strategy[]

/** What a plan needs to know of a child. */
export interface ChildFacts {
  readonly restart: RestartType
  /** It had come to its end, and was left so, before what the plan is for happened. */
  readonly atRest: boolean
}

/** How a child went down: crashed, or stopped by someone else than the supervisor. */
export type Fall = 'crashed' | 'stopped'

export interface Plan {
  readonly action: Action | 'ignore'
  /** Indices of children, in the order in which they are to be stopped. */
  readonly stop: readonly number[]
  /** Indices of children, in the order in which they are to be started, once all that is to be stopped is down. */
  readonly start: readonly number[]
}

/** Strategies that plan for several children at once, so that one plan has to know of the other. */
export function isCollective(strategy: Strategy): boolean {
  return TABLE[strategy].affected !== 'itself'
}

/** Strategies that restart, rather than to give children up or to pass the crash on. */
export function isRestarting(strategy: Strategy): boolean {
  return TABLE[strategy].action === 'restart'
}

const IS_AFFECTED: Readonly<Record<Affected, (at: number, crashed: number) => boolean>> = {
  itself: (at, crashed) => at === crashed,
  rest: (at, crashed) => at >= crashed,
  all: () => true,
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
  const { action, affected: which } = TABLE[strategy]
  const restarts = action === 'restart'
  const type = children[index]?.restart
  const acts =
    fall === 'crashed' ? type === 'permanent' || type === 'transient' : type === 'permanent' && restarts
  if (!acts) return { action: 'ignore', stop: [], start: [] }
  if (action === 'escalate') return { action, stop: [], start: [] }

  const affected = children.map((_, at) => at).filter((at) => IS_AFFECTED[which](at, index))
  const stop = affected.toReversed()
  if (!restarts) return { action, stop, start: [] }
  return { action, stop, start: affected.filter((at) => at === index || comesBack(children[at]!)) }
}

/** As a sibling of the one that went down: temporary children never, those that had ended for good neither. */
function comesBack({ restart, atRest }: ChildFacts): boolean {
  return restart !== 'temporary' && !(restart === 'transient' && atRest)
}
