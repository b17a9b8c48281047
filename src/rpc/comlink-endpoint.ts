import type { MessagePort } from 'node:worker_threads'
import type * as Comlink from 'comlink'
import { Inbox, Outbox, type Post, type SmallReply } from './batch.ts'
import { isDataCloneError } from './client.ts'
import { HANDLER } from './dispatcher.ts'
import { References } from './references.ts'
import type { ReferenceMessage, ToService } from '../wire/messages.ts'
import { isImmutable } from '../wire/pack.ts'

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
      this.#post(message, transferList as readonly never[])
    } catch (error) {
      if (!isDataCloneError(error)) throw error
      const value = { unclonable: (error as Error).message }
      this.#post({ id: message.id, type: 'HANDLER', name: HANDLER, value })
    }
  }
}

type PortMessage = ToService | ReferenceMessage | { id: number }

export interface PortCallerOptions {
  /** Exposes the service on this endpoint; returns what cancels a call. */
  expose(references: References, endpoint: CallEndpoint): (id: number, reason: never) => void
  /** Somebody wants a port of their own. */
  connect(port: MessagePort): void
  problem(error: unknown, text: string): void
  readonly together: number | undefined
}

/** Serves one more caller, over a port of its own. Returns what ends it. */
export function servePort(port: MessagePort, options: PortCallerOptions): (reason: () => Error) => void {
  const outbox = new Outbox((message, transferList) => port.postMessage(message, transferList))
  const { post } = outbox
  const references = new References({ post, problem: (error, text) => options.problem(error, text) })
  const { together } = options
  const inbox = new Inbox((message) => receive(message as PortMessage), outbox, { together })
  const endpoint = new CallEndpoint(post, (message) => inbox.reply(message))
  const cancel = options.expose(references, endpoint)
  const end = (reason: () => Error): void => {
    outbox.flush()
    references.close(reason)
    port.close()
  }
  const receive = (message: PortMessage): void => {
    if (!('kind' in message)) endpoint.receive(message)
    else if (message.kind === 'cancel-call') cancel(message.id, message.reason as never)
    else if (message.kind === 'connect') options.connect(message.port)
    else references.receive(message as ReferenceMessage)
  }
  port.on('message', (message) => inbox.receive(message))
  port.once('close', () => end(() => new Error('The handle that had it is gone')))
  // Whoever is called lives by its own channel, not by those of others.
  port.unref()
  return end
}
