import { inspect } from 'node:util'
import t from 'tap'
import { decodeError } from '../../src/errors/decode.ts'
import { encodeError } from '../../src/errors/encode.ts'
import { type Any, HttpError, boom, cross, snapshot } from './crossing.ts'

void t.test('own properties, at any depth', async (t) => {
  const inner = Object.assign(new HttpError(404, 'inner'), { code: 'E_INNER' })
  const shared = { list: Object.assign([] as unknown[], { 0: 1, 2: 3 }) }
  const error = Object.assign(new Error('outer'), {
    code: 'E_OUTER',
    when: new Date(5),
    bytes: new Uint8Array([1, 2]),
    map: new Map([[1, { a: 2 }]]),
    big: 5n,
    nothing: undefined,
    nil: null,
    deep: { a: [{ b: inner }], again: inner, shared, sharedToo: shared },
    point: new (class Point {
      x = 1
    })(),
  })
  const there = cross(error) as unknown as typeof error
  t.strictSame(snapshot(there), snapshot(cross(there)))
  t.ok(there.deep.a[0]?.b instanceof HttpError)
  t.equal(there.deep.again, there.deep.a[0]?.b, 'identity stays')
  t.equal(there.deep.shared, there.deep.sharedToo)
  t.notOk(1 in there.deep.shared.list, 'holes stay')
  t.equal(there.deep.shared.list.length, 3)
  t.strictSame(there.when, error.when)
  t.strictSame(there.map, error.map)
  t.strictSame(there.bytes, error.bytes)
  t.equal(there.big, 5n)
  t.ok('nothing' in there)
  t.equal(there.point.x, 1)
  t.equal(there.deep.again.code, 'E_INNER')
  t.equal(there.deep.again.stack, inner.stack)
  t.strictSame(Object.keys(there), Object.keys(error), 'in the same order')
})

void t.test('what cannot be cloned crosses as its description', async (t) => {
  const error = Object.assign(new Error('x'), {
    fn: boom,
    symbol: Symbol('s'),
    promise: Promise.resolve(1),
    weak: new WeakMap(),
    proxy: new Proxy({ a: 1 }, {}),
    mixed: { ok: 1, fn: () => {}, list: [class Agent {}, 2] },
    socket: Object.assign(Object.create({ constructor: boom }), { port: 80, on: () => {} }),
  })
  Object.defineProperty(error, 'getter', { get: boom, enumerable: true })
  const there = cross(error)
  t.equal(there.fn, '[Function: boom]')
  t.equal(there.symbol, 'Symbol(s)')
  t.match(there.promise, /^Promise \{ 1/)
  t.type(there.weak, 'string')
  t.type(there.proxy, 'string')
  t.strictSame(there.mixed, { ok: 1, fn: '[Function: fn]', list: ['[class Agent]', 2] })
  t.match(there.socket, /port: 80/)
  t.equal(there.getter, '[getter threw Error: boom]')
  t.strictSame(snapshot(cross(there)), snapshot(there))
})

void t.test('causes: any value, long chains, circles', async (t) => {
  t.equal(cross(new Error('x', { cause: 0 })).cause, 0)
  t.strictSame(cross(new Error('x', { cause: { a: [1] } })).cause, { a: [1] })
  t.equal(cross(new Error('x', { cause: boom })).cause, '[Function: boom]')
  t.ok(Object.hasOwn(cross(new Error('x', { cause: undefined })), 'cause'))
  t.notOk(Object.hasOwn(cross(new Error('x')), 'cause'))

  let chain = new Error('first')
  for (let i = 0; i < 20_000; i++) chain = new Error(`${i}`, { cause: chain })
  let last: unknown = cross(chain)
  let length = 0
  for (; last instanceof Error && last.cause !== undefined; last = last.cause) length++
  t.equal(length, 20_000)
  t.equal((last as Error).message, 'first')

  const self: Any = new Error('self') as Any
  self.cause = self
  self.details = { self, list: [self] }
  const there = cross(self)
  t.equal(there.cause, there)
  t.equal((there.details as { self: unknown }).self, there)
  t.strictSame(snapshot(there), snapshot(self))

  const a = new Error('a')
  const b = new AggregateError([a], 'b', { cause: a })
  a.cause = b
  t.strictSame(snapshot(cross(a)), snapshot(a))
})

void t.test('deep values end in a description', async (t) => {
  let deep: unknown = 'end'
  for (let i = 0; i < 100_000; i++) deep = { deep }
  const there = cross(Object.assign(new Error('x'), { deep, code: 'E' }))
  t.equal(there.code, 'E')
  let depth = 0
  let value: unknown = there.deep
  for (; typeof value === 'object'; value = (value as { deep: unknown }).deep) depth++
  t.ok(depth >= 900, `${depth} levels`)
  t.equal(value, '{ deep: { deep: [Object] } }')
  t.type(cross(deep), 'string')
})

void t.test('Buffers arrive as Buffers, with their own bytes alone', async (t) => {
  const there = cross(Object.assign(new Error('x'), { a: Buffer.from('abc'), b: [Buffer.alloc(0)] }))
  t.ok(Buffer.isBuffer(there.a))
  t.equal(String(there.a), 'abc')
  t.equal((there.a as Buffer).buffer.byteLength, 3)
  t.ok(Buffer.isBuffer((there.b as unknown[])[0]))
  t.ok(Buffer.isBuffer(cross(Buffer.from('thrown'))))
})

void t.test('what is no error crosses as it is', async (t) => {
  const values: unknown[] = [
    undefined,
    null,
    0,
    -0,
    NaN,
    1n,
    '',
    'text',
    true,
    { a: [1, { b: 2 }] },
    [1],
    new Date(1),
  ]
  for (const value of values) t.strictSame(cross(value), value, inspect(value))
  t.equal(cross(Symbol('s')), 'Symbol(s)')
  t.equal(cross(boom), '[Function: boom]')
  t.type(cross(Promise.resolve()), 'string')
  t.equal(cross({ a: 1, fn: boom }), '{ a: 1, fn: [Function: boom] }')
  const circle: Record<string, unknown> = { a: 1 }
  circle.circle = circle
  const there = cross(circle)
  t.equal(there.circle, there)
  const withError = cross({ error: new HttpError(1, 'x'), fn: 'none' })
  t.ok(withError.error instanceof HttpError, 'errors in it are whole')
  t.ok(cross({ error: Object.assign(new Error('x'), { fn: boom }) }).error instanceof Error)
})

function thrower(): Error {
  return new TypeError('deep down')
}

void t.test('the stack', async (t) => {
  const error = thrower()
  t.equal(cross(error).stack, error.stack)
  const { stack = '' } = cross(error, {
    localStack: 'Error\n    at caller (file.ts:1:2)\n    at outer (file.ts:3:4)',
  })
  t.ok(stack.startsWith(error.stack ?? '-'), 'the one from where it was thrown comes first')
  t.match(stack.slice(error.stack?.length), /^\n.*called from.*\n {4}at caller .*\n {4}at outer [^\n]*$/)
  t.notMatch(Object.keys(cross(error, { localStack: '    at x' })), ['stack'])
  t.equal(cross(error, { localStack: 'no frames' }).stack, error.stack)
  t.equal(cross('text', { localStack: '    at x' }), 'text')
  const cause = cross(new Error('x', { cause: error }), { localStack: '    at x (y)' }).cause as Error
  t.equal(cause.stack, error.stack, 'that of a cause is its own')
  const limit = Error.stackTraceLimit
  cross(error)
  t.equal(Error.stackTraceLimit, limit)
})

void t.test('decoding twice gives two', async (t) => {
  const encoded = encodeError(Object.assign(new Error('x', { cause: new Error('y') }), { a: { b: [1] } }))
  const [one, two] = [decodeError(encoded) as Any, decodeError(encoded) as Any]
  t.not(one, two)
  t.not(one.cause, two.cause)
  t.not(one.a, two.a)
  t.strictSame(snapshot(one), snapshot(two))
})
