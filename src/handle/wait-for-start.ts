import { bulkheadError, endedError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from '../service/node.ts'
import { isUp } from '../service/state.ts'
import type { CallOptions } from '../rpc/client.ts'

/**
 * A call made while the service, or a parent that has yet to start it, is starting waits for that start. Resolves to
 * what is left of the call's timeout.
 * @throws `ERR_NOT_RUNNING`, `ERR_SERVICE_STOPPED`, `ERR_SERVICE_CRASHED`, `ERR_CALL_TIMEOUT`, the signal's reason
 */
export async function waitForStart(
  node: ServiceNode,
  method: string,
  startTimeout: number,
  { timeout, signal }: CallOptions = { timeout: Infinity },
): Promise<number> {
  const { clock } = node
  const service = node.beacon.path
  const what = `A call of ${method}()`
  const notRunning = (): Error => bulkheadError('ERR_NOT_RUNNING', { service, state: node.state, what })
  const starting = startingOne(node)
  if (!starting) throw notRunning()
  const from = clock.now()

  const cleanups: (() => void)[] = []
  try {
    await new Promise<void>((resolve, reject) => {
      cleanups.push(
        node.onChange(({ state, reason }) => {
          if (state === 'running') resolve()
          else if (state === 'crashed') {
            reject(endedError(what, service, { reason }))
          } else if (state !== 'starting') {
            reject(endedError(what, service))
          }
        }),
      )
      // The parent has come to rest, or has fallen, without starting this one.
      if (starting !== node) {
        cleanups.push(starting.onChange(() => !isUp(node.state) && reject(notRunning())))
      }
      cleanups.push(clock.after(startTimeout, () => reject(notRunning())))
      cleanups.push(
        clock.after(timeout, () => reject(bulkheadError('ERR_CALL_TIMEOUT', { service, method, timeout }))),
      )
      if (signal) {
        const onAbort = (): void => reject(signal.reason as Error)
        signal.addEventListener('abort', onAbort, { once: true })
        cleanups.push(() => signal.removeEventListener('abort', onAbort))
      }
    })
  } finally {
    for (const cleanup of cleanups) cleanup()
  }
  return timeout - (clock.now() - from)
}

/** The service itself, or the nearest ancestor that is up, if that one is starting. */
function startingOne(node: ServiceNode): ServiceNode | undefined {
  let at: ServiceNode | undefined = node
  while (at && !at.isUp && at.state !== 'crashed') at = at.parent
  return at?.state === 'starting' ? at : undefined
}
