import { type EncodedThrow, encodeError } from '../errors/encode.ts'
import type { ComlinkCall, ComlinkReply, WireValue } from '../wire/comlink-messages.ts'
import type { Answer, CallPacket } from '../wire/messages.ts'
import type { Packed } from '../wire/pack.ts'

// Comlink's words, as the caller's side speaks them; comlink-endpoint.ts has the service's side.

/** The name of our entry among Comlink's transfer handlers. */
export const HANDLER = 'bulkhead'

/** A call with arguments that need nothing but structured clone. */
export function plainCall(id: number, method: string, args: readonly unknown[]): ComlinkCall {
  return { id, type: 'APPLY', path: [method], argumentList: args.map(raw) }
}

/** A call that brings more than that along. */
export function packedCall(id: number, method: string, packet: CallPacket): ComlinkCall {
  const value: WireValue = { type: 'HANDLER', name: HANDLER, value: packet }
  return { id, type: 'APPLY', path: [method], argumentList: [value] }
}

function raw(value: unknown): WireValue {
  return { type: 'RAW', value }
}

/** Undefined for what is no call. */
export function methodOf(message: unknown): string | undefined {
  return (message as Partial<ComlinkCall>).path?.[0]
}

/** What a reply says, whether the service made it with our handler or Comlink by itself. */
export function answerOf(reply: ComlinkReply): Answer {
  if (reply.type === 'RAW') return { value: { value: reply.value } satisfies Packed }
  return reply.name === 'throw' ? { thrown: comlinkThrow(reply.value) } : (reply.value as Answer)
}

function comlinkThrow(value: unknown): EncodedThrow {
  const { isError, value: thrown } = value as { isError: boolean; value: unknown }
  return encodeError(isError ? Object.assign(new Error(), thrown) : thrown)
}
