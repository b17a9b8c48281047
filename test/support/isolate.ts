import type { Clock } from '../../src/base/clock.ts'
import { isolate as isolateAsShipped } from '../../src/index.ts'
import { nodeOf } from '../../src/service/node.ts'
import type { ServiceLike } from '../../src/service/types.ts'
import { FOREVER_MS, tellTimeBy } from './patience.ts'

/**
 * isolate(), with threads that do not inherit the loaders of the test runner: with them each thread takes seven times
 * as long to start. The limits of a start and a stop are none that a busy machine could reach, unless a test sets them.
 */
export const isolate = ((what: never, options: object = {}) => {
  const limits = { startTimeout: FOREVER_MS, stopTimeout: FOREVER_MS }
  const handle = isolateAsShipped(what, { execArgv: [], ...limits, ...options } as never) as ServiceLike
  const { clock } = what as { clock?: Clock }
  if (clock) setClock(handle, clock)
  return handle
}) as unknown as typeof isolateAsShipped

/** Of a class that brings a clock, which may live by it as well: then the test that takes the time does, too. */
function setClock(handle: ServiceLike, clock: Clock): void {
  nodeOf(handle).clock = clock
  tellTimeBy(clock)
}
