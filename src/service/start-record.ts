import type { StartOutcome, StartRecord } from '../wire/records.ts'
import type { ServiceNode } from './node.ts'

/** How a service began in the start of the one above it that began at `since`. */
export function startRecordOf(node: ServiceNode, since = node.run.start.beganAt): StartRecord {
  return recordWith(
    node,
    since,
    node.children.map((child) => startRecordOf(child, since)),
  )
}

/** What each step of its start took, in milliseconds. */
export function startPhasesOf(node: ServiceNode): StartRecord['phases'] {
  return recordWith(node, node.run.start.beganAt, []).phases
}

function recordWith(node: ServiceNode, since: number, children: readonly StartRecord[]): StartRecord {
  const { run, lifecycle } = node
  const outcome = outcomeOf(node, since)
  const { steps, totalMs } = run.start.timesAt(node.clock.now())
  const record: StartRecord = {
    path: node.beacon.path,
    label: node.owner.label,
    isolation: 'inline',
    outcome,
    beganAt: run.start.beganAt,
    totalMs,
    phases: outcome === 'not-started' ? {} : steps,
    children,
  }
  return lifecycle.amendStartRecord?.(record) ?? record
}

function outcomeOf({ run, state }: ServiceNode, since: number): StartOutcome {
  // An earlier run that is over is no news.
  const { start, stop, crash } = run
  if (!start.begun || (stop.over && start.beganAt < since)) return 'not-started'
  if (start.reachedRunning) return 'running'
  return crash || state === 'crashed' ? 'failed' : 'stopped'
}
