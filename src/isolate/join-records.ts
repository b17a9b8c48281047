import type { StartRecord, TeardownRecord } from '../wire/records.ts'
import type { Instance } from './instance.ts'
import type { RemoteStart } from '../wire/facts.ts'

function identityOf({
  isolation,
  isThread,
  threadId,
}: Instance): Pick<StartRecord, 'isolation' | 'threadId'> {
  return { isolation, ...(isThread && threadId !== undefined ? { threadId } : {}) }
}

/** One row for handle and service: what the service did, within what the handle saw. */
export function joinRecords(
  own: TeardownRecord,
  remote: TeardownRecord | undefined,
  instance: Instance,
): TeardownRecord {
  const { path, label, beganAt, totalMs } = own
  const { terminated, isThread, exitMs } = instance
  const outcome = own.outcome === 'crashed' ? 'crashed' : terminated ? 'terminated' : (remote ?? own).outcome
  return {
    path,
    label,
    ...identityOf(instance),
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
  there: RemoteStart | undefined,
  instance: Instance,
): StartRecord {
  const identity = identityOf(instance)
  if (!there) return { ...own, ...identity }
  const { servedAt, record, ...making } = there
  const threadStart = instance.isThread ? { threadStart: Math.max(servedAt - instance.openedAt, 0) } : {}
  return {
    ...own,
    ...identity,
    phases: { ...threadStart, ...making, ...record?.phases },
    children: record?.children ?? [],
  }
}
