import * as Comlink from 'comlink'
import { isImmutable } from '../base/walk.ts'
import { isDataCloneError } from '../errors/bulkhead-error.ts'
import type { Answer, CallPacket } from '../wire/messages.ts'
import type { PackResult } from '../wire/pack.ts'
import type { SmallReply } from './batch.ts'
import { HANDLER } from './comlink-client.ts'
import type { Post } from './line.ts'

// Comlink's words, as the service's side speaks them; comlink-client.ts has the caller's side.

/** A result that is more than structured clone takes. */
export class Reply {
  readonly answer: Answer
  readonly transferList: PackResult['transferList']
  constructor(answer: Answer, transferList: PackResult['transferList'] = []) {
    this.answer = answer
    this.transferList = transferList
  }
}

/** Arguments that are more than structured clone takes. */
export class Arguments {
  readonly packet: CallPacket
  constructor(packet: CallPacket) {
    this.packet = packet
  }
}

// Comlink's own handlers stay untouched: they belong to the whole process.
Comlink.transferHandlers.set(HANDLER, {
  canHandle: (value): value is Reply => value instanceof Reply,
  serialize: (reply: Reply) => [reply.answer, [...reply.transferList] as never[]],
  deserialize: (packet: CallPacket) => new Arguments(packet),
})

/** A Comlink endpoint on a channel that carries other messages too: calls are handed to it, replies go out by `post`. */
export class CallEndpoint implements Comlink.Endpoint {
  readonly #post: Post
  readonly #reply: (message: SmallReply) => void
  #listener: ((message: { data: unknown }) => void) | undefined

  /** Small replies go out by `reply`, all others by `post`. */
  constructor(post: Post, reply: (message: SmallReply) => void) {
    this.#post = post
    this.#reply = reply
  }

  /** Serves the functions of `target`, and nothing else, to who calls here. */
  expose(target: object): void {
    Comlink.expose(target, this)
  }

  /** A call has arrived. */
  receive(message: object): void {
    this.#listener?.({ data: message })
  }

  addEventListener(_type: string, listener: unknown): void {
    this.#listener = listener as (message: { data: unknown }) => void
  }

  removeEventListener(): void {
    this.#listener = undefined
  }

  postMessage(
    message: { id: number; type: string; value?: unknown },
    transferList?: readonly unknown[],
  ): void {
    if (message.type === 'RAW' && isImmutable(message.value)) {
      this.#reply(message)
      return
    }
    try {
      this.#post(message, transferList as PackResult['transferList'])
    } catch (error) {
      if (!isDataCloneError(error)) throw error
      const value = { unclonable: (error as Error).message }
      this.#post({ id: message.id, type: 'HANDLER', name: HANDLER, value })
    }
  }
}
