import { isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Streams } from '../fixtures/streams.ts'
import { both, failure, quiet, sleep, until } from '../support/both.ts'

quiet()

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = []
  for await (const item of stream) out.push(item)
  return out
}

both('a method that returns an AsyncIterable is consumed with for await', async (t, isolation) => {
  const handle = isolate(Streams, { isolation })
  await handle.start()
  t.same(await collect(handle.count(5)), [0, 1, 2, 3, 4])
  t.same(await collect(handle.count(0)), [])
  t.same(await collect(handle.plain()), [0, 1, 2], 'one that is no generator')
  t.same(await collect(await handle.promised(false)), ['promised'], 'one that is promised')
  t.same(await collect(handle.with({}).count(2)), [0, 1])
  t.same(await collect(handle.with({ timeout: '5s' }).count(2)), [0, 1])
  const both = await Promise.all([collect(handle.count(50)), collect(handle.count(50))])
  t.same(both[0], both[1], 'several at once')
  const iterator = handle.count(2)[Symbol.asyncIterator]()
  t.same(await iterator.next(), { done: false, value: 0 })
  t.same(await iterator.next(), { done: false, value: 1 })
  t.same(await iterator.next(), { done: true, value: undefined })
  t.same(await iterator.next(), { done: true, value: undefined })
  for await (const chunk of handle.endless()) {
    t.ok(Buffer.isBuffer(chunk))
    t.equal(chunk.toString(), 'chunk 0')
    break
  }
  await handle.stop()
})

both('back-pressure: the producer never runs ahead by more than one', async (t, isolation) => {
  const handle = isolate(Streams, { isolation })
  await handle.start()
  let read = 0
  for await (const item of handle.count(100)) {
    read = item + 1
    await sleep(1)
    const ahead = (await handle.produced()) - read
    if (ahead > 1) t.fail(`${ahead} ahead`)
    if (read === 10) break
  }
  await sleep(20)
  t.ok((await handle.produced()) <= 11)
  await handle.stop()
})

both('closed on both sides when either ends', async (t, isolation) => {
  const handle = isolate(Streams, { isolation })
  await handle.start()
  for await (const item of handle.count(100)) if (item === 2) break
  await until(async () => (await handle.closed()).length > 0)
  t.same(await handle.closed(), ['finally'], 'the reader left: finally ran over there')
  const thrown = await failure(
    (async () => {
      for await (const _item of handle.count(100)) throw new Error('mine')
    })(),
  )
  t.equal(thrown.message, 'mine')
  await until(async () => (await handle.closed()).length > 1)
  t.same(await handle.closed(), ['finally', 'finally'])
  const iterator = handle.count(3)[Symbol.asyncIterator]()
  await iterator.next()
  await iterator.return?.()
  t.same(await iterator.next(), { done: true, value: undefined })
  t.same(await collect(handle.count(1)), [0])
  t.same((await handle.closed()).slice(-2), ['done', 'finally'], 'it ended by itself')
  await handle.stop()
})

both('failures come out of next(), at any time', async (t, isolation) => {
  const handle = isolate(Streams, { isolation })
  await handle.start()
  const got: number[] = []
  const error = await failure(
    (async () => {
      for await (const item of handle.failing(2)) got.push(item)
    })(),
  )
  t.ok(error instanceof RangeError)
  t.same(got, [0, 1])
  const unread = handle.failing(0)
  const dangling = handle.failing(1)
  void dangling[Symbol.asyncIterator]()
  await sleep(30)
  t.equal(await handle.alive(), true, 'a failing stream that nobody reads yet kills nothing')
  const late = await failure(unread[Symbol.asyncIterator]().next())
  t.ok(late instanceof RangeError)
  const refused = await failure(handle.promised(true))
  t.ok(refused instanceof TypeError)
  const uncloned = await failure(collect(handle.unclonable()))
  t.ok(uncloned instanceof Error, 'an item that cannot be cloned')
  t.equal(await handle.alive(), true)
  await handle.stop()
  const stopped = handle.count(1)
  await sleep(20)
  t.ok(isBulkheadError(await failure(stopped[Symbol.asyncIterator]().next()), 'ERR_NOT_RUNNING'))
})

both('open streams reject when the service stops or crashes', async (t, isolation) => {
  const handle = isolate(Streams, { isolation })
  await handle.start()
  const open = handle.never()[Symbol.asyncIterator]()
  t.same(await open.next(), { done: false, value: 1 })
  const pending = failure(open.next())
  const idle = handle.count(10)[Symbol.asyncIterator]()
  await idle.next()
  const unread = handle.count(10)
  await handle.alive()
  await handle.stop()
  t.ok(isBulkheadError(await pending, 'ERR_SERVICE_STOPPED'), 'one that waits')
  t.ok(isBulkheadError(await failure(idle.next()), 'ERR_SERVICE_STOPPED'), 'one that is read later')
  t.ok(
    isBulkheadError(await failure(unread[Symbol.asyncIterator]().next()), 'ERR_SERVICE_STOPPED'),
    'one unread',
  )
  await handle.start()
  const again = handle.never()[Symbol.asyncIterator]()
  await again.next()
  const next = failure(again.next())
  const reason = new Error('crashed')
  await handle.crash(reason)
  const error = await next
  t.ok(isBulkheadError(error, 'ERR_SERVICE_CRASHED'))
  t.equal(error.cause, reason)
})

both('streams and signals as arguments', async (t, isolation) => {
  const handle = isolate(Streams, { isolation })
  await handle.start()
  let closed = 0
  const numbers = async function* (): AsyncGenerator<number> {
    try {
      for (let i = 1; i <= 4; i++) yield i
    } finally {
      closed += 1
    }
  }
  t.equal(await handle.sum(numbers()), 10)
  t.equal(await handle.first(numbers()), 1)
  await until(() => closed === 2, 'the generator to be closed')
  const controller = new AbortController()
  const seen: string[] = []
  for await (const text of handle.watch(controller.signal)) {
    seen.push(text)
    controller.abort('enough')
  }
  t.same(seen, ['watching', 'aborted: enough'], 'a signal of a stream is live as long as the stream')
  await handle.stop()
})
