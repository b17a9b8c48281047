import type { StartRecord, TeardownRecord } from '../wire/records.ts'
import type { Place } from './instance.ts'
import type { StartThere } from '../wire/facts.ts'

function identityOf({ isolation, isThread, threadId }: Place): Pick<StartRecord, 'isolation' | 'threadId'> {
  return { isolation, ...(isThread && threadId !== undefined ? { threadId } : {}) }
}

/** One row for handle and service: what the service did, within what the handle saw. */
export function joinRecords(
  own: TeardownRecord,
  remote: TeardownRecord | undefined,
  place: Place,
): TeardownRecord {
  const { path, label, beganAt, totalMs } = own
  const { terminated, isThread, exitMs } = place
  const outcome = own.outcome === 'crashed' ? 'crashed' : terminated ? 'terminated' : (remote ?? own).outcome
  return {
    path,
    label,
    ...identityOf(place),
    outcome,
    beganAt,
    totalMs,
    phases: { ...(remote ?? own).phases, ...(isThread ? { threadExit: exitMs } : {}) },
    errors: remote && remote.errors.length > 0 ? remote.errors : own.errors,
    children: remote?.children ?? [],
  }
}

/** As joinRecords, of the start: what the handle waited for is told by the steps over there. */
export function joinStartRecords(own: StartRecord, there: StartThere | undefined, place: Place): StartRecord {
  const identity = identityOf(place)
  if (!there) return { ...own, ...identity }
  const { servedAt, record, ...making } = there
  const threadStart = place.isThread ? { threadStart: Math.max(servedAt - place.openedAt, 0) } : {}
  return {
    ...own,
    ...identity,
    phases: { ...threadStart, ...making, ...record?.phases },
    children: record?.children ?? [],
  }
}
