import { Budget } from '../base/budget.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { refuseWhileLoading } from './loading.ts'
import type { Restart, ServiceNode } from './node.ts'
import { beginStart } from './start.ts'
import { stopNode } from './stop.ts'

/** Stops it, whatever its state, and starts it anew. Joins a restart under way. */
export function restartNode(node: ServiceNode): Promise<void> {
  // One that a stop has cut short is none to join: who asks later wants it up.
  if (node.restarting?.cancelled === false) return node.restarting.promise
  return node.restartBegins((restart) => stopThenStart(node, restart))
}

async function stopThenStart(node: ServiceNode, restart: Restart): Promise<void> {
  refuseWhileLoading()
  const stopping = stopNode(node, new Budget(node.clock))
  if (stopping) {
    for (const error of await stopping)
      node.lifecycle.problem(error, 'An error of the stop before the restart')
  }
  // A stop() that arrived meanwhile means stopped. From here to the state `starting` nothing is awaited.
  if (restart.cancelled) {
    throw bulkheadError('ERR_STOPPED_WHILE_STARTING', { service: node.beacon.path })
  }
  await beginStart(node, { restart: true })
}
