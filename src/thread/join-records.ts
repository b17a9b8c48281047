import type { StartRecord, TeardownRecord } from '../service/record.ts'
import type { Place } from './place.ts'
import type { StartThere } from './protocol.ts'

/** One row for handle and service: what the service did, within what the handle saw. */
export function joinRecords(
  own: TeardownRecord,
  remote: TeardownRecord | undefined,
  { terminated, isolation, isThread, threadId, exitMs }: Place,
): TeardownRecord {
  const { path, label, beganAt, totalMs } = own
  const outcome = own.outcome === 'crashed' ? 'crashed' : terminated ? 'terminated' : (remote ?? own).outcome
  return {
    path,
    label,
    isolation,
    ...(isThread && threadId !== undefined ? { threadId } : {}),
    outcome,
    beganAt,
    totalMs,
    phases: { ...(remote ?? own).phases, ...(isThread ? { threadExit: exitMs } : {}) },
    errors: remote && remote.errors.length > 0 ? remote.errors : own.errors,
    children: remote?.children ?? [],
  }
}

/** As joinRecords, of the start: what the handle waited for is told by the steps over there. */
export function joinStartRecords(
  own: StartRecord,
  there: StartThere | undefined,
  { isolation, isThread, threadId, openedAt }: Place,
): StartRecord {
  const place = { isolation, ...(isThread && threadId !== undefined ? { threadId } : {}) }
  if (!there) return { ...own, ...place }
  const { servedAt, record, ...making } = there
  const threadStart = isThread ? { threadStart: Math.max(servedAt - openedAt, 0) } : {}
  return {
    ...own,
    ...place,
    phases: { ...threadStart, ...making, ...record?.phases },
    children: record?.children ?? [],
  }
}
