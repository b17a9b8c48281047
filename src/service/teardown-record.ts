import { isBulkheadError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from './node.ts'
import type { Outcome, TeardownError, TeardownRecord } from '../wire/records.ts'
import type { Run } from './run.ts'
import type { StepError, TeardownStep } from './stop-steps.ts'

const NONE: readonly never[] = []

export function teardownRecord(
  node: ServiceNode,
  run: Run,
  { beganAt, totalMs, met }: { beganAt: number; totalMs: number; met: readonly StepError[] },
): TeardownRecord {
  const origin = run.crash?.beganHere ? run.crash : undefined
  const outcome: Outcome = origin
    ? 'crashed'
    : met.some(({ error }) => isBulkheadError(error, 'ERR_STOP_TIMEOUT'))
      ? 'timed-out'
      : 'clean'
  const errors = met.length === 0 ? NONE : met.map(({ error, phase }) => describeError(error, phase))
  const crash = origin
    ? [describeError(origin.reason, run.start.reachedRunning ? 'crash' : run.start.phase)]
    : NONE
  return {
    path: node.beacon.path,
    label: node.owner.label,
    isolation: 'inline',
    outcome,
    beganAt,
    totalMs,
    // The run is over: nobody writes to them any more.
    phases: run.stop.times,
    errors: crash.length === 0 ? errors : [...crash, ...errors],
    children: node.hasChildren ? node.children.map(recordOf) : NONE,
  }
}

/** How the last run of a service ended, or that there was none. */
export function recordOf(node: ServiceNode): TeardownRecord {
  if (node.lastTeardown) return node.lastTeardown
  const record: TeardownRecord = {
    path: node.beacon.path,
    label: node.owner.label,
    isolation: 'inline',
    outcome: 'not-started',
    beganAt: 0,
    totalMs: 0,
    phases: {},
    errors: NONE,
    children: node.children.map(recordOf),
  }
  return node.lifecycle.amendRecord?.(record) ?? record
}

function describeError(error: unknown, phase: TeardownStep | 'crash'): TeardownError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), phase }
  const { code } = error as { code?: unknown }
  return { name: error.name, message: error.message, ...(typeof code === 'string' ? { code } : {}), phase }
}
