import { ignoreRejection } from '../base/deferred.ts'

/** What a call returns before it is known whether it gives a value or a stream: it can be awaited, or iterated. */
export type RemoteCall = Promise<unknown> | AsyncIterable<unknown>

/** A native promise with one own property costs nothing over a plain one; a subclass would cost three times as much. */
export function streamable(promise: Promise<unknown>): Promise<unknown> {
  ;(promise as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] = iterateOutcome
  return promise
}

function iterateOutcome(this: Promise<unknown>): AsyncIterator<unknown> {
  return new RemoteIterator(this)
}

/** A call that is known to give a stream: its failure is told to whoever reads it, and to nobody else. */
export function remoteStream(promise: Promise<unknown>): AsyncIterableIterator<unknown> {
  return new RemoteIterator(promise)
}

class RemoteIterator implements AsyncIterableIterator<unknown> {
  readonly #source: Promise<AsyncIterator<unknown>>

  constructor(outcome: Promise<unknown>) {
    this.#source = outcome.then((value) => {
      const iterate = (value as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator]
      if (typeof iterate !== 'function')
        throw new TypeError('The method returned no AsyncIterable: await it instead')
      return iterate.call(value)
    })
    ignoreRejection(this.#source)
  }

  async next(): Promise<IteratorResult<unknown>> {
    return (await this.#source).next()
  }

  async return(): Promise<IteratorResult<unknown>> {
    const source = await this.#source
    await source.return?.()
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<IteratorResult<unknown>> {
    await this.return()
    throw error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
