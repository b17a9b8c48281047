import { Budget } from '../base/budget.ts'
import type { Clock } from '../base/clock.ts'
import { delay } from '../base/wait.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { Place } from './instance.ts'
import type { ToService } from '../wire/messages.ts'

/** Beyond its deadline, how long a thread has to say how far it came, in ms: its grace and the way, for each thread below. */
const LAST_WORD = 150

export interface StopThere {
  readonly place: Place
  /** Resolves when the service over there is down. */
  readonly down: Promise<unknown>
  readonly budget: Budget
  /** Milliseconds, capped by the budget. */
  readonly stopTimeout: number
  readonly clock: Clock
  /** How many threads deep what lives there goes. */
  readonly threadsDeep: () => number
  /** Path. */
  readonly service: string
  readonly phase: () => string
}

/** Has the service at the other end stop; ends the place when it does not answer in time, and returns the error of that. */
export async function stopThere(given: StopThere): Promise<Error | undefined> {
  const { place, budget, stopTimeout, clock } = given
  const own = new Budget(clock, stopTimeout)
  budget.lead(own)
  if (!place.inhabited || place.terminated) return undefined
  let isDown = false
  const down = given.down.then(() => (isDown = true))
  const ended = Promise.race([down, place.exited])
  place.post({ kind: 'stop', timeout: Math.min(own.remaining(), 2 ** 31) } satisfies ToService)
  if (await own.within(ended)) return undefined
  // Its own deadline is the same one; this reaches a thread whose deadline was shortened since.
  place.post({ kind: 'stop', timeout: 0 } satisfies ToService)
  const silent = new AbortController()
  await Promise.race([ended, delay(LAST_WORD * (1 + given.threadsDeep()), { clock, signal: silent.signal })])
  silent.abort()
  return isDown || place.dead ? undefined : endIt(given, own.timeout)
}

async function endIt({ place, service, phase }: StopThere, timeout: number): Promise<Error> {
  const at = phase()
  const stack = await place.stack()
  const where = stack === undefined ? '' : `, in:\n${stack}\nIt`
  const what = `its thread, which did not answer and has been ended${where}`
  place.terminate()
  await place.exited
  return bulkheadError('ERR_STOP_TIMEOUT', { service, what, timeout }, { service, phase: at })
}
