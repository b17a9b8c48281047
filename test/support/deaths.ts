import type t from 'tap'
import { isBulkheadError } from '../../src/index.ts'
import type { Death } from '../fixtures/deaths.ts'

type Tap = Pick<typeof t, 'ok' | 'equal' | 'match'>

/** Enough for a thread, soon too little for one that hoards. */
export const SMALL = { resourceLimits: { maxOldGenerationSizeMb: 64 } }

/** Whether `reason` is what such a death is told as. */
export function check(t: Tap, how: Death, reason: unknown): void {
  const error = reason as Error & Record<string, unknown>
  switch (how) {
    case 'exit':
    case 'exit 0':
      t.ok(isBulkheadError(error, 'ERR_THREAD_EXITED'), `${how}: ${String(error)}`)
      t.equal(error['exitCode'], how === 'exit' ? 7 : 0)
      break
    case 'memory':
      t.ok(isBulkheadError(error, 'ERR_THREAD_OUT_OF_MEMORY'), String(error))
      break
    case 'throw':
      t.ok(error instanceof RangeError, String(error))
      t.equal(error.message, 'thrown by a timer')
      t.equal(error['code'], 'E_TIMER')
      t.equal((error.cause as Error).message, 'below')
      t.match(error.stack, /deaths\./)
      break
    case 'reject':
      t.ok(error instanceof SyntaxError, String(error))
      t.equal(error.message, 'nobody handles it')
      break
    case 'throw a value':
      t.equal(reason, 'just a text')
      break
    case 'block':
  }
}
