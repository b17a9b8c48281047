import type { MessagePort } from 'node:worker_threads'
import type { EncodedThrow } from '../errors/encode.ts'
import type { ServiceState } from '../service/types.ts'

/** What a handle in another thread shows of the service. */
export interface HandleFacts {
  readonly label: string
  readonly path: string
  readonly state: ServiceState
  readonly started: boolean
  readonly restartCount: number
  readonly isolated: boolean
  readonly threadId?: number
  readonly methods?: readonly string[]
  /** Of a crashed one. */
  readonly reason?: EncodedThrow
}

/** A handle on its way: facts, and while it runs a port that leads straight to the service. */
export interface HandedHandle {
  readonly facts: HandleFacts
  readonly port?: MessagePort
}

/** The side that has the handle, as the one it was handed to steers it. */
export type SteerHandle = (verb: SteerVerb, ...args: unknown[]) => Promise<unknown>
export type SteerVerb = 'start' | 'maybeStart' | 'stop' | 'restart' | 'crash' | 'setShutdown'

/** Makes handles out of what was handed over, and hands them on. Set by the module that knows handles. */
export interface HandlePorter {
  isHandle(value: object): boolean
  /** `changed` is told of each change until the returned function is called. */
  hand(
    handle: object,
    changed: (now: HandedHandle) => void,
  ): { now: HandedHandle; steer: SteerHandle; stop: () => void }
  receive(handed: HandedHandle, steer: SteerHandle): ReceivedHandle
}

export interface ReceivedHandle {
  readonly handle: object
  /** Not bound to the handle, so that it can be collected. */
  readonly update: (now: HandedHandle) => void
  /** The side it came from is down, or nobody holds it any more. */
  readonly close: () => void
}

let known: HandlePorter | undefined

/** A slot, because links carry handles, and handles are made of links. */
export function setHandlePorter(porter: HandlePorter): void {
  known = porter
}

export function handlePorter(): HandlePorter {
  if (!known) throw new Error('Bulkhead: handles are not loaded')
  return known
}
