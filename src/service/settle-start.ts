import { type Deferred, ignoreRejection } from '../base/deferred.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'

/** The steps of start have come to rest, or were given up: start() settles, once what they met is torn down. */
export function settleStart(node: ServiceNode, run: Run): void {
  const starting = run.start.stepsEnded()
  if (!starting) return
  if (run.start.reachedRunning) starting.resolve()
  else void rejectStart(node, run, starting)
}

async function rejectStart(node: ServiceNode, run: Run, starting: Deferred): Promise<void> {
  // Those who join it later, or nobody, must not make it unhandled.
  ignoreRejection(starting.promise)
  await run.stop.down
  if (run.crash) starting.reject(run.crash.reason)
  else {
    const service = node.beacon.path
    starting.reject(bulkheadError('ERR_STOPPED_WHILE_STARTING', { service }))
  }
}
