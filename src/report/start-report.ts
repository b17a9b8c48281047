import type { PlaceKind } from '../wire/facts.ts'
import { type StartOutcome, type StartPhase, type StartRecord, START_PHASES } from '../wire/records.ts'
import { tenths } from './milliseconds.ts'
import { identityOf, inOrder, timesOf } from './records.ts'

/** How one service started. */
export interface StartServiceReport {
  readonly path: string
  readonly label: string
  readonly isolation: PlaceKind
  readonly threadId?: number
  readonly pid?: number
  /** `stopped`: before it was running. */
  readonly outcome: StartOutcome
  /**
   * How long each step of its start took, in milliseconds; without those that it did not come to. Of an isolated one:
   * from the spawning of its thread until this library runs there, the import of its module, its constructor.
   */
  readonly phases: Readonly<Partial<Record<StartPhase, number>>>
  /** When its start began, in milliseconds after the Host's did; negative for one that was up before. */
  readonly startedAtMs?: number
  /** From the first step of its start to the last, in milliseconds. */
  readonly totalMs?: number
}

/** How a Host started: plain data, safe to make JSON of. */
export interface StartReport {
  readonly outcome: StartOutcome
  /** In milliseconds. */
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
