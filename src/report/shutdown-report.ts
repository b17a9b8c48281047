import { type PlaceKind, PLACE } from '../wire/facts.ts'
import type { BeaconData } from '../beacon/beacon.ts'
import type { ServiceNode } from '../service/node.ts'
import { tenths } from './milliseconds.ts'
import { identityOf, inOrder, timesOf } from './records.ts'
import { recordOf } from '../service/teardown-record.ts'
import {
  type Outcome,
  type StopPhase,
  type TeardownError,
  type TeardownRecord,
  STOP_PHASES,
} from '../wire/records.ts'

/** How long each step of a service's stop took, in milliseconds and in order; 0 for one that it did not come to. */
export type PhaseTimes = Readonly<
  Record<Exclude<StopPhase, 'threadExit'>, number> & {
    /** From the end of the service to the end of its thread; only for one that had a thread. */
    threadExit?: number
  }
>

/** How one service stopped. */
export interface ServiceReport {
  /** The labels from the root of the graph down to it, joined by `/`. */
  readonly path: string
  /** Its label: the name of its class unless it was given one. */
  readonly label: string
  /** Where it lived: on its parent's thread or in a place of its own. */
  readonly isolation: PlaceKind
  /** Node's number of the thread it had; absent for one that was inline, or whose thread was never made. */
  readonly threadId?: number
  /** The process it had to itself; absent for any other. */
  readonly pid?: number
  /** How its stop went; `crashed` is where a crash began, not what that took along. */
  readonly outcome: Outcome
  /** How long each step of its stop took, in milliseconds. */
  readonly phases: PhaseTimes
  /** What the steps threw, in order, after what it crashed with, each with the step it belongs to. */
  readonly errors: readonly TeardownError[]
  /**
   * When its stop began, in milliseconds after the shutdown did; negative for one that was down before, absent for one that
   * had not started.
   */
  readonly startedAtMs?: number
  /** How long its stop took, in milliseconds, from its first step to its last; absent for one that had not started. */
  readonly totalMs?: number
}

/** How a Host stopped: plain data, safe to make JSON of. */
export interface ShutdownReport {
  /** Why: `stop()` or `shutdown()` was called, the Host crashed or failed to start, or the name of a signal. */
  readonly reason: 'stop' | 'crash' | 'start-failed' | NodeJS.Signals
  /** How long the shutdown took, in milliseconds, from its first word to its end. */
  readonly totalMs: number
  /** Whether the shutdown took no longer than the Host's `stopTimeout`. */
  readonly withinBudget: boolean
  /** The Host's `stopTimeout` in milliseconds; absent when it has no limit. */
  readonly budgetMs?: number
  /** A row for each service, those inside threads too: the Host first, each service before its children. */
  readonly services: readonly ServiceReport[]
}

/** What a report is made of, apart from the records of the services. */
export interface ShutdownFacts {
  readonly reason: ShutdownReport['reason']
  /** When the shutdown began, as the records have it: see Clock.now(). */
  readonly beganAt: number
  /** Milliseconds. */
  readonly totalMs: number
  /** Milliseconds; `Infinity` for no limit. */
  readonly budget: number
}

/** As recordOf, but while a service is still on its way down: the steps that it has taken. */
export function recordSoFar(node: ServiceNode): TeardownRecord {
  if (!node.inRun) return recordOf(node)
  const isolation = (node.beacon.data as BeaconData)[PLACE]?.kind ?? 'inline'
  return {
    path: node.beacon.path,
    label: node.owner.label,
    isolation,
    outcome: node.run.crash?.beganHere ? 'crashed' : 'clean',
    beganAt: node.clock.now(),
    totalMs: 0,
    phases: { ...node.run.stop.times },
    errors: [],
    children: node.children.map(recordSoFar),
  }
}

export function shutdownReport(root: TeardownRecord, facts: ShutdownFacts): ShutdownReport {
  const { reason, budget } = facts
  const records = [...inOrder(root)]
  const earliest = records.reduce(
    (at, { outcome, beganAt }) => (outcome === 'not-started' ? at : Math.min(at, beganAt)),
    Infinity,
  )
  // A start that fails is undone from where it failed, before the Host itself hears of it.
  const beganAt = reason === 'start-failed' ? Math.min(earliest, facts.beganAt) : facts.beganAt
  const totalMs = facts.totalMs + facts.beganAt - beganAt
  return {
    reason,
    totalMs: tenths(totalMs),
    withinBudget: totalMs <= budget,
    ...(budget === Infinity ? {} : { budgetMs: tenths(budget) }),
    services: records.map((record) => serviceReport(record, beganAt)),
  }
}

/** 0 for a Host that stopped as asked, 1 for one where something went wrong on the way. */
export function exitCodeOf({ reason, services }: ShutdownReport): 0 | 1 {
  if (reason === 'crash' || reason === 'start-failed') return 1
  return services.some(wentWrong) ? 1 : 0
}

function wentWrong({ outcome, errors, startedAtMs = 0, totalMs = 0 }: ServiceReport): boolean {
  // One that was down before the shutdown (a crashed child that its supervisor gave up) has been dealt with.
  if (startedAtMs + totalMs < 0) return false
  if (outcome === 'timed-out' || outcome === 'terminated') return true
  return errors.some(({ phase }) => phase !== 'crash')
}

function serviceReport(record: TeardownRecord, beganAt: number): ServiceReport {
  return {
    ...identityOf(record),
    outcome: record.outcome,
    phases: phaseTimes(record.phases),
    errors: record.errors.map((error) => ({ ...error })),
    ...timesOf(record, beganAt),
  }
}

function phaseTimes(phases: TeardownRecord['phases']): PhaseTimes {
  const times: Partial<Record<StopPhase, number>> = {}
  for (const phase of STOP_PHASES) {
    const took = phases[phase]
    if (phase !== 'threadExit' || took !== undefined) times[phase] = tenths(took ?? 0)
  }
  return times as PhaseTimes
}
