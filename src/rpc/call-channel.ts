import type { Clock } from '../base/clock.ts'
import type { ReferenceMessage, ReplyBatch } from '../wire/messages.ts'
import type { Handlers } from '../wire/route.ts'
import { Outbox } from './batch.ts'
import { Client } from './client.ts'
import type { Line, Post } from './line.ts'
import { References } from './references.ts'

export interface CallChannelOptions {
  readonly clock: Clock
  /** Path of the service, for messages. */
  readonly service: () => string
  /** Hears of what nobody waits for and must not end this side. */
  readonly problem: (error: unknown, text: string) => void
}

/** What a caller and a service say to one another: calls, and what these hand over. The caller's side. */
export class CallChannel {
  readonly references: References
  readonly post: Post
  /** What the service's messages do, as far as calls are concerned; replies in Comlink's words go to `reply`. */
  readonly handlers: Handlers<ReferenceMessage | ReplyBatch>
  readonly #client: Client

  constructor(line: Line, { clock, service, problem }: CallChannelOptions) {
    const outbox = new Outbox(line.post, { holds: line.batches })
    this.post = outbox.post
    this.references = new References({ post: outbox.post, problem, dial: (address) => line.dial(address) })
    const { references } = this
    const client = new Client({ references, clock, service, outbox, codec: line.codec })
    this.#client = client
    this.handlers = { ...references.handlers, replies: (batch) => client.receiveBatch(batch) }
  }

  get pendingCalls(): number {
    return this.#client.pendingCalls
  }

  call(...call: Parameters<Client['call']>): Promise<unknown> {
    return this.#client.call(...call)
  }

  readonly reply = (message: object): void => this.#client.receive(message as never)

  /**
   * Every call settles: what is pending rejects now, and what still comes, too. Until the service is down (`over`) the
   * hooks of its teardown may still use the callbacks they were given.
   */
  refuse(reason: (what: string) => Error, { over }: { over: boolean }): void {
    this.#client.close(reason)
    const lost = (): Error => reason('A callback or stream')
    if (over) this.references.close(lost)
    else this.references.refuse(lost)
  }
}
