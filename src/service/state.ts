import type { ServiceState } from './types.ts'

/** Every change of state there is. */
export const TRANSITIONS: Readonly<Record<ServiceState, readonly ServiceState[]>> = {
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
