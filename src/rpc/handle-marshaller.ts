import type { Transferable } from '../wire/codec.ts'
import type { HandedHandle } from '../wire/facts.ts'
import type { DirectLine } from './line.ts'

/** The side that has the handle, as the one it was handed to steers it. */
export type SteerHandle = (verb: SteerVerb, ...args: unknown[]) => Promise<unknown>
/** `call` goes by way of that side where no line leads straight to the service. */
export type SteerVerb = 'start' | 'maybeStart' | 'stop' | 'restart' | 'crash' | 'setShutdown' | 'call'

/** A handle to be handed over, and what of it has to be moved. */
export interface OfferedHandle {
  readonly handed: HandedHandle
  readonly transfer: readonly Transferable[]
}

/** Makes handles out of what was handed over, and hands them on. Set by the module that knows handles. */
export interface HandleMarshaller {
  isHandle(value: object): boolean
  /** `changed` is told of each change until the returned function is called. */
  hand(
    handle: object,
    changed: (now: OfferedHandle) => void,
  ): { now: OfferedHandle; steer: SteerHandle; stop: () => void }
  receive(handed: HandedHandle, steer: SteerHandle, dial: (address: unknown) => DirectLine): ReceivedHandle
}

export interface ReceivedHandle {
  readonly handle: object
  /** Not bound to the handle, so that it can be collected. */
  readonly update: (now: HandedHandle) => void
  /** The side it came from is down, or nobody holds it any more. */
  readonly close: () => void
}

let known: HandleMarshaller | undefined

/** A slot, because references carry handles, and handles are made of references. */
export function setHandleMarshaller(marshaller: HandleMarshaller): void {
  known = marshaller
}

export function handleMarshaller(): HandleMarshaller {
  if (!known) throw new Error('Bulkhead: handles are not loaded')
  return known
}
