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

/** A table has no such transition: that is a fault of this library, never of who uses it. */
export function illegalTransition(whose: string, from: string, to: string): Error {
  return new Error(`Bulkhead: ${whose} cannot go from ${from} to ${to}`)
}

/**
 * What follows one another, numbered from 0: each stage is reached from the one before it, and in no other way. Numbers,
 * because every service of a large tree goes through all of them: to look up names was a thirtieth of its start and stop.
 */
export type Stages = Readonly<Record<string, number>>

/** @throws unless `to` comes right after `from` */
export function checkStage(whose: string, stages: Stages, from: number, to: number): void {
  if (to === from + 1) return
  const names = Object.keys(stages)
  throw illegalTransition(whose, String(names[from]), String(names[to]))
}
