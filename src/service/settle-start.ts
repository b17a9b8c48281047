import { type Deferred, ignoreRejection } from '../base/deferred.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'

/** The steps of start have come to rest, or were given up: start() settles, once what they met is torn down. */
export function settleStart(node: ServiceNode, run: Run): void {
  run.stepsOver.resolve()
  const { starting } = run
  // Once; and nobody joins it any more.
  run.starting = undefined
  if (!starting) return
  if (run.reachedRunning) starting.resolve()
  else void rejectStart(node, run, starting)
}

async function rejectStart(node: ServiceNode, run: Run, starting: Deferred): Promise<void> {
  // Those who join it later, or nobody, must not make it unhandled.
  ignoreRejection(starting.promise)
  await run.down
  if (run.crashedWith) starting.reject(run.crashedWith.reason)
  else {
    const service = node.beacon.path
    starting.reject(bulkheadError('ERR_STOPPED_WHILE_STARTING', { service }, { service }))
  }
}
