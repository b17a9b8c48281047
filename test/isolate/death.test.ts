import t from 'tap'
import { isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Mortal } from '../fixtures/deaths.ts'
import { failure, liveThreads, quiet } from '../support/both.ts'
import { SMALL, check } from '../support/deaths.ts'

quiet()

for (const how of ['exit', 'exit 0', 'throw', 'throw a value', 'reject', 'memory'] as const) {
  t.test(`a thread that ends by itself (${how}) is a crash, and every call settles`, async (t) => {
    const handle = isolate(Mortal, SMALL)
    await handle.start()
    const seen: unknown[] = []
    handle.onChange(({ state, reason }) => seen.push(state, reason))
    const stream = handle.stream()[Symbol.asyncIterator]()
    await stream.next()
    const next = failure(stream.next())
    const flood = Array.from({ length: 1000 }, () => failure(handle.never()))
    const call = failure(handle.die(how))
    const error = await call
    t.ok(isBulkheadError(error, 'ERR_SERVICE_CRASHED'), String(error))
    check(t, how, error.cause)
    const errors = await Promise.all(flood)
    t.ok(
      errors.every((one) => one.code === 'ERR_SERVICE_CRASHED' && one.cause === error.cause),
      '1,000 in flight',
    )
    t.equal((await next).cause, error.cause, 'the open stream')
    t.equal(handle.state, 'crashed')
    t.equal(handle.crashReason, error.cause)
    t.same(seen[0], 'crashed')
    t.equal(seen[1], error.cause)
    await handle.stop()
    t.equal(liveThreads(), 0)
    t.ok(isBulkheadError(await failure(handle.hello()), 'ERR_NOT_RUNNING'))
    await handle.start()
    t.equal(await handle.hello(), 'hello', 'it can be started again')
    await handle.stop()
    t.equal(liveThreads(), 0)
  })
}
