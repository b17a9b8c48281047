import type { StartRecord, TeardownRecord } from '../service/record.ts'
import type { Isolation } from './options.ts'
import type { StartThere } from './protocol.ts'

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

interface Beginning {
  readonly isolation: Isolation
  readonly thread: { readonly threadId: number | undefined; readonly openedAt: number } | undefined
}

/** As joinRecords, of the start: what the handle waited for is told by the steps over there. */
export function joinStartRecords(
  own: StartRecord,
  there: StartThere | undefined,
  { isolation, thread }: Beginning,
): StartRecord {
  const threadId = thread?.threadId === undefined ? {} : { threadId: thread.threadId }
  if (!there) return { ...own, isolation, ...threadId }
  const { servedAt, record, ...making } = there
  const threadStart = thread ? { threadStart: Math.max(servedAt - thread.openedAt, 0) } : {}
  return {
    ...own,
    isolation,
    ...threadId,
    phases: { ...threadStart, ...making, ...record?.phases },
    children: record?.children ?? [],
  }
}
