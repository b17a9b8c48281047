import type { ServiceLog } from '../logging/types.ts'
import type { ServiceLike } from '../service/types.ts'
import { type Strategy, isRestarting } from './strategies.ts'

interface EventOf<T extends string> {
  readonly type: T
  /** The child it is about; with `restarted` the one that runs now, which may be a replacement. */
  readonly child: ServiceLike
  /** The child's path in the dependency graph, at that moment. */
  readonly path: string
  /**
   * Restarts spent in the current window, the one for this crash included; `maxRestarts` less this many are left. Never
   * above `maxRestarts`: the crash that finds none left spends nothing.
   */
  readonly restarts: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Why the child went down. Not there for a child that was stopped by someone else, without a crash. */
interface WithReason {
  readonly reason?: unknown
}

/** A child crashed; what the supervisor does about it follows. */
export interface CrashEvent extends EventOf<'crash'>, WithReason {}
/** The restart waits `delayMs` milliseconds. There is none of these for an immediate restart. */
export interface BackoffEvent extends EventOf<'backoff'>, WithReason {
  readonly delayMs: number
}
/** What has to be stopped has been; the starting begins. */
export interface RestartingEvent extends EventOf<'restarting'>, WithReason {}
/** The child, and whatever the strategy restarts with it, is running again. */
export interface RestartedEvent extends EventOf<'restarted'>, WithReason {}
/** `child`, the crashed one or a sibling restarted with it, failed to start; `reason` is the error. */
export interface RestartFailedEvent extends EventOf<'restart-failed'>, WithReason {}
/** The supervisor stops its children and then crashes; `reason` is the error it crashes with. */
export interface GaveUpEvent extends EventOf<'gave-up'>, WithReason {}
/** The child crashed and stays so, by the strategy or by its restart type; the supervisor goes on. */
export interface ForfeitedEvent extends EventOf<'forfeited'>, WithReason {}

/** What a supervisor tells: data, told apart by `type`. */
export type SupervisorEvent =
  | CrashEvent
  | BackoffEvent
  | RestartingEvent
  | RestartedEvent
  | RestartFailedEvent
  | GaveUpEvent
  | ForfeitedEvent

interface LogContext {
  readonly log: ServiceLog
  readonly strategy: Strategy
  readonly maxRestarts: number
}

/** The log as one listener among others. */
export function eventLogger(context: () => LogContext): (event: SupervisorEvent) => void {
  return (event) => {
    const { log, strategy, maxRestarts } = context()
    const { type, path, restarts } = event
    const left = maxRestarts - restarts
    const fields = { event: type, child: path, restarts, restartsLeft: left === Infinity ? undefined : left }
    const withError = { ...fields, err: event.reason }
    const leftText = left === Infinity ? 'no limit to restarts' : `restarts left: ${left}`
    const next = isRestarting(strategy) ? leftText : 'no restart'
    switch (type) {
      case 'crash':
        log.error(withError, '%s crashed (strategy %s, %s)', path, strategy, next)
        break
      case 'restart-failed':
        log.error(withError, '%s failed to start again (%s)', path, leftText)
        break
      case 'backoff': {
        const due = new Date(event.at + event.delayMs).toISOString()
        log.warn(
          { ...fields, delayMs: event.delayMs },
          'Restarting %s in %d ms, at %s (%s)',
          path,
          event.delayMs,
          due,
          leftText,
        )
        break
      }
      case 'restarting':
        log.info(fields, 'Restarting %s now (%s)', path, leftText)
        break
      case 'restarted':
        log.info(fields, '%s is running again (%s)', path, leftText)
        break
      case 'gave-up':
        log.error(withError, 'Giving up on %s: the children are stopped, then this supervisor crashes', path)
        break
      case 'forfeited':
        log.warn(fields, '%s stays crashed; this supervisor goes on without it', path)
        break
    }
  }
}
