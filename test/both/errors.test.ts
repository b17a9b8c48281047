import { BulkheadError, isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Failures, QuotaError, StrangerError } from '../fixtures/failures.ts'
import { both, failure, quiet } from '../support/both.ts'

quiet()

both('errors of calls cross whole', async (t, isolation) => {
  const handle = isolate(Failures, { isolation })
  await handle.start()

  const range = await failure(handle.rangeError('out of range'))
  t.ok(range instanceof RangeError, 'built-in classes')
  t.equal(range.name, 'RangeError')
  t.equal(range.message, 'out of range')
  t.match(range.stack, /^RangeError: out of range\n/)
  t.match(range.stack, /Failures\.rangeError.*failures\./, 'the stack over there')
  t.match(range.stack, /errors\.test\./, 'and the one of here')
  t.ok((await failure(handle.sync())) instanceof SyntaxError)

  const coded = await failure(handle.withCode())
  t.match(coded, { code: 'ENOENT', errno: -2, path: '/nowhere', when: new Date(3) })
  t.equal(typeof coded['fn'], 'string', 'what cannot be cloned crosses as its description')

  const third = await failure(handle.chain())
  const second = third.cause as TypeError & { code: string }
  const first = second.cause as Error
  t.equal(third.message, 'third')
  t.ok(second instanceof TypeError)
  t.equal(second.code, 'E_SECOND')
  t.ok(first instanceof RangeError)
  t.equal(first.message, 'first')
  t.match(first.stack, /failures\./)

  const cycle = await failure(handle.cyclic())
  t.equal(cycle['self'], cycle)
  t.equal(cycle.cause, cycle)

  const several = (await failure(handle.aggregate())) as unknown as AggregateError
  t.ok(several instanceof AggregateError)
  t.equal(several.message, 'several')
  t.ok(several.errors[0] instanceof RangeError)
  t.ok(several.errors[1] instanceof QuotaError)
  t.equal(several.errors[2], 'three')

  const own = await failure(handle.own())
  t.ok(own instanceof BulkheadError)
  t.ok(isBulkheadError(own, 'ERR_OVERLOADED'))
  t.equal(own.service, 'x')
  t.equal((await failure(handle.abortError())).name, 'AbortError')
  t.equal((await failure(handle.frozen())).message, 'frozen')
  t.equal(handle.state, 'running')
  await handle.stop()
})

both('registered classes are instanceof on the other side, both ways', async (t, isolation) => {
  const handle = isolate(Failures, { isolation })
  await handle.start()
  const quota = await failure(handle.quota())
  t.ok(quota instanceof QuotaError)
  t.equal(quota['limit'], 10)
  t.equal(quota.name, 'QuotaError')
  t.ok(quota.cause instanceof TypeError)
  const stranger = await failure(handle.stranger())
  t.equal(stranger.name, 'StrangerError')
  t.notOk(stranger instanceof StrangerError, 'not registered')
  t.ok(stranger instanceof RangeError, 'the nearest class that is known')
  t.same(stranger['extra'], { list: [1] })

  const given = new QuotaError('as an argument', 5, { cause: new Error('below') })
  const seen = await handle.look(given)
  t.match(seen, { type: 'QuotaError', message: 'as an argument', cause: 'Error: below', limit: 5 })
  t.match(seen.stack, /errors\.test\./)
  t.equal(
    await handle.callback(() => {
      throw new QuotaError('from a callback', 6, { cause: new Error('deeper') })
    }),
    'true 6 deeper',
  )
  const { error } = (await handle.give()).deep[0] as { error: unknown }
  t.ok(error instanceof QuotaError, 'in a result, at any depth')
  await handle.stop()
})

both('a thrown value that is no error crosses as it is', async (t, isolation) => {
  const handle = isolate(Failures, { isolation })
  await handle.start()
  const thrown = (kind: Parameters<typeof handle.value>[0]): Promise<unknown> =>
    handle.value(kind).then(
      () => 'nothing was thrown',
      (error: unknown) => error,
    )
  t.equal(await thrown('string'), 'a text')
  t.equal(await thrown('undefined'), undefined)
  t.equal(await thrown('null'), null)
  t.equal(await thrown('number'), 42)
  const object = (await thrown('object')) as { code: number; deep: number[]; error: unknown }
  t.equal(object.code, 7)
  t.same(object.deep, [1])
  t.ok(object.error instanceof RangeError)
  t.match(String(await thrown('symbol')), /described/)
  await handle.stop()
})

both('the reason of a crash and of crash() cross as errors do', async (t, isolation) => {
  const handle = isolate(Failures, { isolation })
  await handle.start()
  const call = failure(handle.callback(() => new Promise(() => {})))
  await handle.crash('a text as reason')
  t.equal(handle.crashReason, 'a text as reason')
  t.equal((await call).cause, 'a text as reason')
})
