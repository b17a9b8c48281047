import type { CallMessage, ReferenceMessage } from '../wire/messages.ts'
import type { Handlers } from '../wire/route.ts'
import { Inbox, Outbox } from './batch.ts'
import { CallEndpoint } from './comlink-endpoint.ts'
import type { CancelCall, Dispatcher } from './dispatcher.ts'
import type { Line, Post } from './line.ts'
import { References } from './references.ts'

export interface ServingOptions {
  /** Where each message goes that arrives, in its turn. */
  readonly receive: (message: unknown) => void
  /** Hears of what nobody waits for and must not end the place. */
  readonly problem: (error: unknown, text: string) => void
  /** Of the line, if others post over it, too; else one is made. */
  readonly outbox?: Outbox
  /** How many calls may run together; undefined for as many as come. */
  readonly together: number | undefined
}

/** The service's side of what one caller and the service say to one another: the counterpart of CallChannel. */
export class ServingChannel {
  readonly references: References
  /** What the caller's messages do, but for those that steer; calls in Comlink's words go to `call`. */
  readonly handlers: Handlers<Exclude<CallMessage, readonly ['calls', ...unknown[]]> | ReferenceMessage>
  readonly #outbox: Outbox
  readonly #endpoint: CallEndpoint
  #cancel: CancelCall | undefined
  #closed = false

  constructor(line: Line, { receive, problem, together, outbox }: ServingOptions) {
    this.#outbox = outbox ?? new Outbox(line.post)
    const { post } = this
    this.references = new References({ post, problem, dial: (address) => line.dial(address) })
    const inbox = new Inbox(receive, this.#outbox, { together })
    this.#endpoint = new CallEndpoint(post, (message) => {
      if (!this.#closed) inbox.reply(message)
    })
    this.handlers = {
      ...this.references.handlers,
      cancel: ([, id, reason]) => this.#cancel?.(id, reason),
    }
    line.listen((message) => inbox.receive(message))
  }

  /** Nothing more is said once it is closed. */
  readonly post: Post = (message, transferList) => {
    if (!this.#closed) this.#outbox.post(message, transferList)
  }

  readonly call = (message: object): void => this.#endpoint.receive(message)

  /** From now on calls are answered. */
  serve(dispatcher: Dispatcher, instance: object, methods: readonly string[]): void {
    this.#cancel = dispatcher.expose(instance, methods, this.references, this.#endpoint)
  }

  close(reason: () => Error): void {
    this.#outbox.flush()
    this.#closed = true
    this.references.close(reason)
  }
}
