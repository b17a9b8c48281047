import { type Deferred, ignoreRejection } from '../base/deferred.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from './node.ts'
import { startPhasesOf } from './start-record.ts'
import type { Run } from './run.ts'

/** The steps of start have come to rest, or were given up: start() settles, once what they met is torn down. */
export function settleStart(node: ServiceNode, run: Run): void {
  const starting = run.start.stepsEnded()
  if (!starting) return
  if (run.start.reachedRunning) {
    run.start.observer?.ended(undefined, startPhasesOf(node))
    starting.resolve()
  } else void rejectStart(node, run, starting)
}

async function rejectStart(node: ServiceNode, run: Run, starting: Deferred): Promise<void> {
  // Those who join it later, or nobody, must not make it unhandled.
  ignoreRejection(starting.promise)
  await run.stop.down
  const error = run.crash
    ? run.crash.reason
    : bulkheadError('ERR_STOPPED_WHILE_STARTING', { service: node.beacon.path })
  run.start.observer?.ended({ error }, startPhasesOf(node))
  starting.reject(error)
}
