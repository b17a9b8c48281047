import type { StreamEnd } from '../observe/trace-call.ts'
import { ignoreRejection } from '../base/deferred.ts'

/** The reading side's uses of an iterator on the other side. */
export type IteratorStep = (method: 'next' | 'return') => Promise<IteratorResult<unknown>>

export function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
}

export interface IteratorExport {
  next(): unknown
  return(): unknown
  released(): void
}

export function exportIterable(iterable: AsyncIterable<unknown>): IteratorExport {
  const iterator = iterable[Symbol.asyncIterator]()
  const finish = async (): Promise<IteratorResult<unknown>> => {
    await iterator.return?.()
    return { done: true, value: undefined }
  }
  return {
    next: () => iterator.next(),
    return: finish,
    // The reader is gone: the generator's finally blocks still run.
    released: () => ignoreRejection(finish()),
  }
}

/** An iterator whose steps are taken elsewhere, one at a time as they are asked for. */
export function importIterable(
  take: IteratorStep,
  ended: (end: StreamEnd) => void,
): AsyncIterableIterator<unknown> {
  let done = false
  const end = (how: StreamEnd): void => {
    done = true
    ended(how)
  }
  const step = async (method: 'next' | 'return'): Promise<IteratorResult<unknown>> => {
    if (done) return { done: true, value: undefined }
    if (method === 'return') end('done')
    try {
      const result = await take(method)
      if (result.done) end('done')
      return result
    } catch (error) {
      end({ error })
      throw error
    }
  }
  const iterator: AsyncIterableIterator<unknown> = {
    next: () => step('next'),
    return: () => step('return'),
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
