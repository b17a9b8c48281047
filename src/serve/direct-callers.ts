import type { DirectLine } from '../rpc/line.ts'
import { ServingChannel } from '../rpc/serving-channel.ts'
import { route } from '../wire/route.ts'

export interface DirectCallersOptions {
  /** Has the calls that come over this channel answered. */
  readonly serve: (channel: ServingChannel) => void
  readonly problem: (error: unknown, text: string) => void
  readonly together: number | undefined
}

/** Those who were handed the service's handle, and call it over lines of their own. */
export class DirectCallers {
  readonly #options: DirectCallersOptions
  readonly #callers = new Set<(reason: () => Error) => void>()

  constructor(options: DirectCallersOptions) {
    this.#options = options
  }

  /** Whoever is called lives by its own connection, not by those of others: the line keeps nothing alive. */
  add(line: DirectLine): void {
    const { serve, problem, together } = this.#options
    const receive = (message: unknown): void => route(message, handlers, { comlink: channel.call })
    const channel = new ServingChannel(line, { receive, problem, together })
    const handlers = {
      ...channel.handlers,
      connect: ([, address]: readonly ['connect', unknown]) => this.add(line.dial(address)),
    }
    serve(channel)
    const end = (reason: () => Error): void => {
      this.#callers.delete(end)
      channel.close(reason)
      line.close()
    }
    this.#callers.add(end)
    line.onClose(() => end(() => new Error('The handle that had it is gone')))
  }

  end(reason: () => Error): void {
    for (const end of this.#callers) end(reason)
  }
}
