import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from '../service/node.ts'
import type { Outbox } from './batch.ts'
import { type CallOptions, Client } from './client.ts'
import { References } from './references.ts'
import type { ReferenceMessage, ReplyMessage } from '../wire/messages.ts'

/** What a handle and its service say to one another during one run: calls, and what these hand over. */
export class CallChannel {
  readonly references: References
  readonly #client: Client
  readonly #node: ServiceNode

  constructor(node: ServiceNode, outbox: Outbox) {
    this.#node = node
    this.references = new References({
      post: outbox.post,
      problem: (error, text) => node.lifecycle.problem(error, text),
    })
    const service = (): string => node.beacon.path
    this.#client = new Client({ references: this.references, clock: node.clock, service, outbox })
  }

  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return this.#client.call(method, args, options)
  }

  receive(message: ReferenceMessage | ReplyMessage | readonly unknown[]): void {
    if ('kind' in message) this.references.receive(message)
    else this.#client.receive(message)
  }

  /**
   * Every call settles: what is pending rejects now, and what still comes, too. Until the service is down (`over`) the
   * hooks of its teardown may still use the callbacks they were given.
   */
  refuse({ over }: { over: boolean }): void {
    const { crashReason: cause, state, beacon } = this.#node
    const reason = (what: string): Error => {
      const service = beacon.path
      return state === 'crashed'
        ? bulkheadError('ERR_SERVICE_CRASHED', { what, service }, { service, cause })
        : bulkheadError('ERR_SERVICE_STOPPED', { what, service }, { service })
    }
    this.#client.close(reason)
    const lost = (): Error => reason('A callback or stream')
    if (over) this.references.close(lost)
    else this.references.refuse(lost)
  }
}
