import type { PlaceKind } from '../wire/facts.ts'
import { type StartOutcome, type StartPhase, type StartRecord, START_PHASES } from '../wire/records.ts'
import { tenths } from './milliseconds.ts'
import { identityOf, inOrder, timesOf } from './records.ts'

/** How one service started. */
export interface StartServiceReport {
  /** The labels from the root of the graph down to it, joined by `/`. */
  readonly path: string
  /** Its label: the name of its class unless it was given one. */
  readonly label: string
  /** Where it lives: on its parent's thread or in a place of its own. */
  readonly isolation: PlaceKind
  /** Node's number of its thread; absent for one that is inline, or whose thread was never made. */
  readonly threadId?: number
  /** The process it had to itself; absent for any other. */
  readonly pid?: number
  /** How its start went; `stopped` is one that was stopped before it ran. */
  readonly outcome: StartOutcome
  /**
   * How long each step of its start took, in milliseconds; without those that it did not come to. Of an isolated one:
   * from the spawning of its thread until this library runs there, the import of its module, its constructor.
   */
  readonly phases: Readonly<Partial<Record<StartPhase, number>>>
  /**
   * When its start began, in milliseconds after the Host's did; negative for one that was up before, absent for one that
   * was not started.
   */
  readonly startedAtMs?: number
  /** How long its start took, in milliseconds, from its first step to its last; absent for one that was not started. */
  readonly totalMs?: number
}

/** How a Host started: plain data, safe to make JSON of. */
export interface StartReport {
  /** How the Host's own start went. */
  readonly outcome: StartOutcome
  /** How long the start took, in milliseconds, from its first step to its last. */
  readonly totalMs: number
  /** A row for each service, those inside threads too: the Host first, each service before its children. */
  readonly services: readonly StartServiceReport[]
}

export function startReport(root: StartRecord): StartReport {
  return {
    outcome: root.outcome,
    totalMs: tenths(root.totalMs),
    services: Array.from(inOrder(root), (record) => serviceReport(record, root.beganAt)),
  }
}

function serviceReport(record: StartRecord, hostBeganAt: number): StartServiceReport {
  const phases: Partial<Record<StartPhase, number>> = {}
  for (const phase of START_PHASES) {
    const took = record.phases[phase]
    if (took !== undefined) phases[phase] = tenths(took)
  }
  return { ...identityOf(record), outcome: record.outcome, phases, ...timesOf(record, hostBeganAt) }
}
