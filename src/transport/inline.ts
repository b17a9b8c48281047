import { type MessagePort, threadId } from 'node:worker_threads'
import { Deferred } from '../base/deferred.ts'
import { Outbox } from '../rpc/batch.ts'
import type { Post } from '../rpc/line.ts'
import { structuredCloneCodec } from '../wire/codec.ts'
import type { Location } from '../wire/facts.ts'
import type { ToService } from '../wire/messages.ts'
import { offerPort, portLine } from './port.ts'
import type { Connection, Exit, PlaceSpec, ServiceEnd, Transport } from './transport.ts'

/** Both sides on one thread. `serve` is the service's side, which waits at its end to be told what to serve. */
export function inlineTransport(serve: (end: ServiceEnd, spec: PlaceSpec) => void): Transport {
  return {
    kind: 'inline',
    open(spec) {
      const connection = new InlineConnection()
      serve(connection.end, spec)
      return connection
    },
  }
}

const { copy } = structuredCloneCodec
const dial: Connection['dial'] = (address) => portLine(address as MessagePort)

/** Messages are cloned as between threads, and arrive later in the same turn. */
class InlineConnection implements Connection {
  readonly location: Location = { kind: 'inline', threadId }
  readonly codec = structuredCloneCodec
  readonly batches = false
  readonly dial = dial
  readonly #exited = new Deferred<Exit>()
  #receive: (message: unknown) => void = () => {}
  #toService: ((message: unknown) => void) | undefined
  #booted = false
  #closed = false

  readonly #postBack: Post = (message, transferList) => {
    const arrived = copy(message, transferList)
    queueMicrotask(() => this.#receive(arrived))
  }

  readonly end: ServiceEnd = {
    codec: structuredCloneCodec,
    batches: false,
    post: this.#postBack,
    outbox: new Outbox(this.#postBack),
    listen: (receive) => (this.#toService = receive),
    dial,
    // After the messages already under way.
    close: () => {
      this.#closed = true
      queueMicrotask(() => this.#exited.resolve(ENDED))
    },
  }

  get exited(): Promise<Exit> {
    return this.#exited.promise
  }

  listen(receive: (message: unknown) => void): void {
    this.#receive = receive
  }

  readonly post: Post = (message, transferList) => {
    const arrived = copy(message, transferList)
    this.#booted = true
    queueMicrotask(() => {
      if (!this.#closed) this.#toService?.(arrived)
    })
  }

  readonly connect = (): ReturnType<typeof offerPort> => offerPort(this.post)

  /** Nothing can end code on this thread: its tasks are told to, and what is left of it is abandoned. */
  terminate(): void {
    // Of one that was told nothing the first message would be taken for what it is to serve.
    if (this.#booted) this.post(['stop', 0] satisfies ToService)
    // Once it has the messages under way.
    queueMicrotask(() => {
      this.#closed = true
      this.#exited.resolve(ENDED)
    })
  }
}

/** It only ends when it is told to. */
const ENDED: Exit = { reason: (service, lastWord) => lastWord?.error ?? new Error(`${service} has ended`) }
