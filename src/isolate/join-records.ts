import type { RemoteStart } from '../wire/facts.ts'
import type { StartRecord, TeardownRecord } from '../wire/records.ts'
import type { Instance } from './instance.ts'

/** One row for handle and service: what the service did, within what the handle saw. */
export function joinRecords(
  own: TeardownRecord,
  remote: TeardownRecord | undefined,
  instance: Instance,
): TeardownRecord {
  const { path, label, beganAt, totalMs } = own
  const { terminated, phases, exitMs } = instance
  const outcome = own.outcome === 'crashed' ? 'crashed' : terminated ? 'terminated' : (remote ?? own).outcome
  return {
    path,
    label,
    ...instance.identity,
    outcome,
    beganAt,
    totalMs,
    phases: { ...(remote ?? own).phases, ...(phases ? { [phases.exit]: exitMs } : {}) },
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
  const { identity, phases, openedAt } = instance
  if (!there) return { ...own, ...identity }
  const { servedAt, record, ...making } = there
  const reached = phases ? { [phases.start]: Math.max(servedAt - openedAt, 0) } : {}
  return {
    ...own,
    ...identity,
    phases: { ...reached, ...making, ...record?.phases },
    children: record?.children ?? [],
  }
}
