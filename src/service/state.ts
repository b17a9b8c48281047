import type { ServiceState } from './types.ts'

/** What may follow what. */
export type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>

/** Every change of state there is. */
export const TRANSITIONS: Transitions<ServiceState> = {
  init: ['starting'],
  starting: ['running', 'stopping', 'crashed'],
  running: ['stopping', 'crashed'],
  stopping: ['stopped', 'crashed'],
  stopped: ['starting'],
  crashed: ['starting'],
}

export function isUp(state: ServiceState): boolean {
  return state === 'starting' || state === 'running' || state === 'stopping'
}

/** A table has no such transition: that is a fault of this library, never of who uses it. */
export function illegalTransition(whose: string, from: string, to: string): Error {
  return new Error(`Bulkhead: ${whose} cannot go from ${from} to ${to}`)
}
