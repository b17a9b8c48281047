import { Budget } from '../base/budget.ts'
import type { Clock } from '../base/clock.ts'
import { delay } from '../base/wait.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { Instance } from './instance.ts'
import type { ToService } from '../wire/messages.ts'

/** Beyond its deadline, how long a thread has to say how far it came, in ms: its grace and the way, for each thread below. */
const LAST_WORD_MS = 150

export interface StopRemote {
  readonly instance: Instance
  /** Says something to what lives there. */
  post(message: ToService): void
  /** Resolves when the service over there is down. */
  readonly down: Promise<unknown>
  readonly budget: Budget
  /** Milliseconds, capped by the budget. */
  readonly stopTimeout: number
  readonly clock: Clock
  /** How many places deep what lives there goes. */
  readonly placesDeep: () => number
  /** The path of the service, for messages. */
  readonly service: string
  readonly phase: () => string
}

/** Has the service at the other end stop; ends the place when it does not answer in time, and returns the error of that. */
export async function stopRemote(given: StopRemote): Promise<Error | undefined> {
  const { instance, budget, stopTimeout, clock } = given
  const own = new Budget(clock, stopTimeout)
  budget.bounds(own)
  if (!instance.inhabited || instance.terminated) return undefined
  let isDown = false
  const down = given.down.then(() => (isDown = true))
  const ended = Promise.race([down, instance.exited])
  given.post(['stop', Math.min(own.remaining(), 2 ** 31)])
  if (await own.within(ended)) return undefined
  // Its own deadline is the same one; this reaches a thread whose deadline was shortened since.
  given.post(['stop', 0])
  const silent = new AbortController()
  await Promise.race([
    ended,
    delay(LAST_WORD_MS * (1 + given.placesDeep()), { clock, signal: silent.signal }),
  ])
  silent.abort()
  return isDown || instance.dead ? undefined : endIt(given, own.timeout)
}

async function endIt({ instance, service, phase }: StopRemote, timeout: number): Promise<Error> {
  const at = phase()
  const stack = await instance.stack()
  const where = stack === undefined ? '' : `, in:\n${stack}\nIt`
  const what = `its ${instance.kind}, which did not answer and has been ended${where}`
  instance.terminate()
  await instance.exited
  return bulkheadError('ERR_STOP_TIMEOUT', { service, what, timeout }, { phase: at })
}
