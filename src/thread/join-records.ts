import type { TeardownRecord } from '../service/record.ts'
import type { Isolation } from './options.ts'

interface Ending {
  /** Ended by us. */
  readonly terminated: boolean
  readonly isolation: Isolation
  readonly thread: { readonly threadId: number | undefined; readonly exitMs: number } | undefined
}

/** One row for handle and service: what the service did, within what the handle saw. */
export function joinRecords(
  own: TeardownRecord,
  remote: TeardownRecord | undefined,
  { terminated, isolation, thread }: Ending,
): TeardownRecord {
  const { path, label, beganAt, totalMs } = own
  const outcome = own.outcome === 'crashed' ? 'crashed' : terminated ? 'terminated' : (remote ?? own).outcome
  return {
    path,
    label,
    isolation,
    ...(thread?.threadId === undefined ? {} : { threadId: thread.threadId }),
    outcome,
    beganAt,
    totalMs,
    phases: { ...(remote ?? own).phases, ...(thread ? { threadExit: thread.exitMs } : {}) },
    errors: remote && remote.errors.length > 0 ? remote.errors : own.errors,
    children: remote?.children ?? [],
  }
}
