import { MessageChannel } from 'node:worker_threads'
import { isBulkheadError, transfer } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Calls, Point } from '../fixtures/calls.ts'
import { record } from '../support/record.ts'
import { both, failure, quiet, until } from '../support/both.ts'

quiet()

both('arguments and results are clones', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  const list = [1, 2]
  const call = handle.mutate(list)
  list.push(3)
  t.same(await call, [1, 2, 99], 'mutating an argument afterwards does not show')
  t.same(list, [1, 2, 3], 'nor does what the service does to it')
  const value = { a: 1, nested: { list: [1, { b: 2 }] } }
  await handle.keep(value)
  value.nested.list.push(3)
  const kept = (await handle.kept()) as typeof value
  t.same(kept, { a: 1, nested: { list: [1, { b: 2 }] } })
  kept.a = 7
  t.equal(((await handle.kept()) as typeof value).a, 1, 'results too')
  await handle.stop()
})

both('what structured clone knows crosses as it is', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  const cyclic: Record<string, unknown> = { name: 'cycle' }
  cyclic['self'] = cyclic
  cyclic['list'] = [cyclic]
  const back = (await handle.same(cyclic)) as typeof cyclic
  t.equal(back['self'], back)
  t.equal((back['list'] as unknown[])[0], back)
  const shared = { x: 1 }
  const [one, two] = (await handle.sameAll(shared, shared)) as [object, object]
  t.same([one, two], [shared, shared])
  const sparse: unknown[] = []
  sparse[1] = 'holes'
  const values = [
    ...[undefined, null, true, 0, -0, Number.NaN, Infinity, 10n ** 30n, '', 'ü\0', new Date(7), /a.b/gi],
    ...[
      new Map<unknown, unknown>([['k', { v: 1 }]]),
      new Set([1, '2']),
      new Uint16Array([1, 2]),
      [[], [[]]],
      {},
    ],
    sparse,
    { undefined: undefined, '': '', '1': 'one' },
  ]
  for (const given of values) t.strictSame(await handle.same(given), given)
  t.equal(0 in ((await handle.same(sparse)) as unknown[]), false, 'holes stay holes')
  const polluting = JSON.parse('{"__proto__":{"polluted":true},"f":1}') as object
  const safe = (await handle.same({ deep: polluting, signal: undefined })) as { deep: object }
  t.equal(({} as { polluted?: true }).polluted, undefined)
  t.ok(safe.deep)
  t.same(await handle.same(Object.assign(Object.create(null) as object, { bare: true })), { bare: true })
  const point = (await handle.same(new Point(3, 4))) as Point
  t.same(
    Object.entries(point),
    [
      ['x', 3],
      ['y', 4],
    ],
    'other class instances cross as structured clone has it',
  )
  t.equal(point.length, undefined)
  t.equal(await handle.describe(new Point(1, 1)), 'Object')
  const inMap = (await handle.same(new Map([['point', new Point(1, 2)]]))) as Map<string, object>
  t.same({ ...inMap.get('point') }, { x: 1, y: 2 })
  let deep: unknown = 'bottom'
  for (let i = 0; i < 500; i++) deep = i % 2 ? [deep] : { deep }
  t.same(JSON.stringify(await handle.same(deep)), JSON.stringify(deep))
  await handle.stop()
})

both('Buffers arrive as Buffers with only their own bytes', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  const pooled = Buffer.from('abc')
  t.ok(pooled.buffer.byteLength > 3, 'a view into the pool')
  t.equal(await handle.describe(pooled), 'Buffer')
  t.same(await handle.backing(pooled), { bytes: 3, memory: 3, text: 'abc' })
  const [same, nested] = (await handle.sameAll(pooled, { list: [pooled, Buffer.from('de')] })) as [
    Buffer,
    { list: Buffer[] },
  ]
  t.ok(Buffer.isBuffer(same))
  t.equal(same.toString(), 'abc')
  t.ok(nested.list.every((item) => Buffer.isBuffer(item)))
  t.equal(nested.list[1]?.toString(), 'de')
  const result = await handle.pooled('xyz')
  t.ok(Buffer.isBuffer(result.buffer))
  t.equal(result.buffer.toString(), 'xyz')
  t.equal(result.buffer.buffer.byteLength, 3, 'of a result too')
  t.equal(result.nested.list[0]?.toString(), 'xyz')
  t.equal(result.nested.list[1]?.toString(), 'other')
  const whole = Buffer.from(new ArrayBuffer(4))
  t.equal(((await handle.same(whole)) as Buffer).length, 4)
  t.equal(whole.length, 4, 'copied, not moved')
  const empty = (await handle.same(Buffer.alloc(0))) as Buffer
  t.ok(Buffer.isBuffer(empty))
  t.equal(empty.length, 0)
  const slice = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
  t.same([...((await handle.same(slice)) as Uint8Array)], [2, 3])
  const big = Buffer.alloc(3_000_000, 7)
  t.ok(((await handle.same(big)) as Buffer).equals(big))
  await handle.stop()
})

both('transfer() moves, in arguments and results', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  const memory = new ArrayBuffer(8)
  t.equal(((await handle.same(transfer(memory))) as ArrayBuffer).byteLength, 8)
  t.equal(memory.byteLength, 0, 'moved')
  const bytes = new Uint8Array([1, 2, 3])
  t.same(await handle.backing(transfer(bytes)), { bytes: 3, memory: 3, text: '\u0001\u0002\u0003' })
  t.equal(bytes.byteLength, 0)
  const inside = { name: 'x', data: new Float64Array([1.5, 2.5]) }
  const back = (await handle.same(transfer(inside, [inside.data.buffer]))) as typeof inside
  t.same([back.name, ...back.data], ['x', 1.5, 2.5])
  t.equal(inside.data.length, 0)
  const deep = { list: [transfer(new Uint8Array([9]))] }
  t.same([...((await handle.same(deep)) as typeof deep).list[0]!], [9], 'at any depth')
  t.equal((await handle.handOver(16)).byteLength, 16)
  t.equal(await handle.keptLength(), 0, 'the service no longer has it')
  const whole = Buffer.from(new ArrayBuffer(5))
  const buffer = (await handle.same(transfer(whole))) as Buffer
  t.ok(Buffer.isBuffer(buffer))
  t.equal(buffer.length, 5)
  t.equal(whole.length, 0)
  const pooled = Buffer.from('pooled')
  t.equal(String(await handle.same(transfer(pooled))), 'pooled')
  t.equal(pooled.toString(), 'pooled', 'memory shared with others is copied')
  const { port1, port2 } = new MessageChannel()
  await handle.keep(transfer(port1))
  const heard = new Promise((resolve) => port2.once('message', resolve))
  await handle.postKept('through')
  t.equal(await heard, 'through')
  port2.close()
  const twice = new ArrayBuffer(2)
  t.same(
    ((await handle.sameAll(transfer(twice), transfer(twice))) as ArrayBuffer[]).map(
      (item) => item.byteLength,
    ),
    [2, 2],
  )
  const read: number[] = []
  await handle.each([transfer(new Uint8Array([5]))], (item) => read.push(...(item as Uint8Array)))
  t.same(read, [5])
  await handle.stop()
})

both('functions in arguments become async callbacks', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  t.same(await handle.each(['a', 'b'], (item, index) => `${String(item)}${index}`), ['a0', 'b1'])
  t.same(await handle.each([1], async (item) => ({ item })), [{ item: 1 }])
  t.equal(await handle.nested({ on: { done: [(what) => `${what} down`] } }), 'deep down', 'at any depth')
  const failed = await failure(
    handle.each([1], () => {
      throw new RangeError('from the callback')
    }),
  )
  t.ok(failed instanceof RangeError, 'its error goes to the service, and back')
  t.equal(failed.message, 'from the callback')
  let kept = 0
  await handle.keepCallback((by) => (kept += by as number))
  await handle.useKept(2)
  t.equal(await handle.useKept(3), 5, 'callable after its call is over')
  t.equal(kept, 5)
  const buffer = (await handle.each([Buffer.from('x')], (item) => Buffer.isBuffer(item)))[0]
  t.equal(buffer, true, 'its arguments cross as those of calls')
  t.equal(await handle.sameFunction(quiet, quiet), true, 'one function is one callback')
  await handle.stop()
  t.equal(
    await handle.keepCallback(() => 1).catch((error: { code: string }) => error.code),
    'ERR_NOT_RUNNING',
  )
})

both('an unhandled rejection of a callback is logged, no crash', async (t, isolation) => {
  const log = record(t)
  const handle = isolate(Calls, { isolation })
  await handle.start()
  t.equal(
    await handle.ignoring(() => {
      throw new RangeError('nobody listens')
    }),
    'not awaited',
  )
  await until(() => log.problems.length > 0)
  t.equal(log.problems.length, 1)
  t.match(log.problems[0]?.err?.message, /nobody listens/)
  t.equal(handle.state, 'running')
  t.equal(await handle.same(1), 1)
  await handle.stop()
})

both('constructor arguments are as call arguments', async (t, isolation) => {
  const initial = { buffer: Buffer.from('abc'), list: [1], error: new RangeError('e') }
  const handle = isolate(Calls, { isolation, args: [{ initial }] })
  initial.list.push(2)
  await handle.start()
  const kept = (await handle.kept()) as typeof initial
  t.ok(Buffer.isBuffer(kept.buffer))
  t.ok(kept.error instanceof RangeError)
  t.same(kept.list, [1, 2], 'cloned at start')
  initial.list.push(3)
  await handle.restart()
  t.same(((await handle.kept()) as typeof initial).list, [1, 2, 3], 'anew at each start')
  await handle.stop()

  const bad = isolate(Calls, { isolation, args: [{ label: 'Bad', initial: { deep: Symbol('s') } }] })
  const error = await failure(bad.start())
  t.ok(isBulkheadError(error, 'ERR_NOT_CLONEABLE'))
  t.match(error.message, /Argument 1 of the constructor/i)
  t.equal(bad.state, 'crashed')
})

both('an AbortSignal stays live until the call settles', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  const controller = new AbortController()
  const call = handle.untilAborted(controller.signal) as Promise<{ reason: Error }>
  setTimeout(() => controller.abort(new RangeError('now')), 20)
  const { reason } = await call
  t.ok(reason instanceof RangeError)
  t.equal(reason.message, 'now')
  const already = (await handle.untilAborted(AbortSignal.abort('gone'))) as { already: unknown }
  t.equal(already.already, 'gone', 'aborted already')
  const by = new AbortController()
  const rejecting = failure(handle.rejectOnAbort(by.signal))
  by.abort()
  t.equal((await rejecting).name, 'AbortError')
  const nested = new AbortController()
  await handle.keepSignal({ signal: nested.signal })
  nested.abort()
  await handle.same(1)
  t.equal(await handle.keptAborted(), false, 'no longer once it has settled')
  const both = new AbortController()
  const aborted = failure(handle.with({ signal: both.signal }).untilAborted(both.signal))
  both.abort(new Error('both'))
  t.equal((await aborted).message, 'both')
  const [first, second] = [new AbortController(), new AbortController()]
  const parallel = [handle.untilAborted(first.signal), handle.untilAborted(second.signal)]
  second.abort(2)
  t.same(await parallel[1], { reason: 2 })
  first.abort(1)
  t.same(await parallel[0], { reason: 1 })
  await handle.stop()
})

both('what cannot be cloned: ERR_NOT_CLONEABLE, and the service lives on', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  const argument = await failure(handle.sameAll(1, { deep: [Symbol('no')] }, 3))
  t.ok(isBulkheadError(argument, 'ERR_NOT_CLONEABLE'))
  t.match(argument.message, /sameAll/)
  t.match(argument.message, /rgument 2/)
  for (const value of [
    new WeakMap(),
    Promise.resolve(),
    new Map([['f', () => 1]]),
    Symbol('s'),
    { p: new WeakSet() },
  ]) {
    const error = await failure(handle.same(value))
    t.ok(isBulkheadError(error, 'ERR_NOT_CLONEABLE'), String(error))
  }
  const result = await failure(handle.unclonable())
  t.ok(isBulkheadError(result, 'ERR_NOT_CLONEABLE'), 'a result')
  t.match(result.message, /unclonable/)
  t.ok(isBulkheadError(await failure(handle.weak()), 'ERR_NOT_CLONEABLE'))
  t.ok(
    isBulkheadError(await failure(handle.functionResult()), 'ERR_NOT_CLONEABLE'),
    'functions cross in arguments only',
  )
  t.ok(isBulkheadError(await failure(handle.with({ timeout: 1000 }).unclonable()), 'ERR_NOT_CLONEABLE'))
  const { port1, port2 } = new MessageChannel()
  t.ok(isBulkheadError(await failure(handle.same(port1)), 'ERR_NOT_CLONEABLE'), 'a port that is not moved')
  await handle.keep(transfer(port1))
  t.ok(isBulkheadError(await failure(handle.kept()), 'ERR_NOT_CLONEABLE'), 'nor in a result')
  port2.close()
  const callback = await failure(handle.each([1], () => Symbol('s')))
  t.ok(callback instanceof Error, 'the result of a callback')
  t.equal(handle.state, 'running')
  t.equal(await handle.same('alive'), 'alive')
  await handle.stop()
})
