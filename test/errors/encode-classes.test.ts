import assert from 'node:assert'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { inspect, types } from 'node:util'
import vm from 'node:vm'
import t from 'tap'
import { BulkheadError, bulkheadError, isBulkheadError } from '../../src/errors/bulkhead-error.ts'
import { decodeError } from '../../src/errors/decode.ts'
import { encodeError } from '../../src/errors/encode.ts'
import { registerError } from '../../src/errors/registry.ts'
import { type Any, HttpError, boom, cross, snapshot } from './crossing.ts'

class NotFoundError extends HttpError {}
class LostError extends DOMException {}
registerError(LostError)

void t.test('every built-in class', async (t) => {
  const errors = [
    new Error('a'),
    new TypeError('a'),
    new RangeError('a'),
    new SyntaxError('a'),
    new ReferenceError('a'),
    new EvalError('a'),
    new URIError('a'),
    new AggregateError([new TypeError('one'), 'two', { three: new RangeError('three') }], 'a'),
    new Error(),
    new Error('a', { cause: undefined }),
    new Error('a', { cause: 'why' }),
  ]
  for (const error of errors) {
    const there = cross(error)
    t.strictSame(snapshot(there), snapshot(error), error.name)
    t.equal(Object.getPrototypeOf(there), Object.getPrototypeOf(error))
    t.ok(types.isNativeError(there))
    t.not(there, error)
  }
})

void t.test('DOMException', async (t) => {
  for (const name of ['AbortError', 'TimeoutError', 'DataCloneError', 'OwnName']) {
    const error = Object.assign(new DOMException('gone', { name, cause: new TypeError('why') }), { extra: 1 })
    const there = cross(error)
    t.ok(there instanceof DOMException)
    t.equal(there.name, name)
    t.equal(there.message, 'gone')
    t.equal(there.code, error.code)
    t.equal(there.stack, error.stack)
    t.equal(there.extra, 1)
    t.ok(there.cause instanceof TypeError)
    t.notOk(Object.hasOwn(there, 'name'), 'name stays where the class has it')
    t.strictSame(snapshot(cross(there)), snapshot(there))
  }
  const aborted = cross(AbortSignal.abort().reason)
  t.ok(aborted instanceof DOMException)
  t.equal(aborted.name, 'AbortError')
  t.equal(aborted.code, 20)
  const refused = cross(
    (() => {
      try {
        return structuredClone(() => {})
      } catch (error) {
        return error
      }
    })(),
  )
  t.equal(refused.name, 'DataCloneError')
})

void t.test('BulkheadError', async (t) => {
  const error = bulkheadError(
    'ERR_START_FAILED',
    { service: 'a/b', reason: 'x' },
    {
      phase: 'onStart',
      exitCode: 0,
      cause: bulkheadError('ERR_CYCLE', { child: 'a', parent: 'b' }),
    },
  )
  const there = cross(error)
  t.ok(there instanceof BulkheadError)
  t.ok(isBulkheadError(there, 'ERR_START_FAILED'))
  t.ok(isBulkheadError(there.cause, 'ERR_CYCLE'))
  t.strictSame(snapshot(there), snapshot(error))
})

void t.test('registered classes', async (t) => {
  const error = new HttpError(503, 'busy')
  const made = HttpError.made
  const there = cross(error) as unknown as HttpError
  t.ok(there instanceof HttpError)
  t.equal(HttpError.made, made, 'the constructor did not run')
  t.ok(types.isNativeError(there))
  t.equal(there.retryable, true)
  t.equal(there.name, 'HttpError')
  t.notOk(Object.hasOwn(there, 'name'))
  t.equal(there.stack, error.stack)
  t.match(inspect(there), /^HttpError: busy\n\s+at .*encode-classes\.test/)
  t.strictSame(snapshot(there), snapshot(error))

  const nearest = cross(new NotFoundError(404, 'gone'))
  t.equal(Object.getPrototypeOf(nearest), HttpError.prototype, 'unregistered: the nearest ancestor')
  t.ok(cross(new LostError('x', 'LostName')) instanceof LostError)
  t.equal(cross(new LostError('x', 'LostName')).name, 'LostName')
})

void t.test('unregistered classes', async (t) => {
  class Own extends Error {
    override name = 'Own'
  }
  class OnPrototype extends TypeError {
    get code(): string {
      return 'E_PROTO'
    }
  }
  Object.defineProperty(OnPrototype.prototype, 'name', { value: 'OnPrototype' })
  // A method, as VError has it.
  Object.defineProperty(OnPrototype.prototype, 'cause', { value: boom })
  class Hidden extends Error {
    constructor(message: string) {
      super(message)
      Object.defineProperty(this, 'name', { value: 'Hidden', enumerable: false })
    }
  }
  const own = cross(new Own('x'))
  t.equal(own.name, 'Own')
  t.equal(own.constructor, Error)
  t.ok(Object.keys(own).includes('name'))
  const onPrototype = cross(new OnPrototype('x'))
  t.equal(onPrototype.name, 'OnPrototype')
  t.equal(onPrototype.code, 'E_PROTO')
  t.equal(onPrototype.constructor, TypeError)
  t.notOk('cause' in onPrototype)
  t.strictSame(Object.keys(onPrototype), [])
  const hidden = cross(new Hidden('x'))
  t.equal(hidden.name, 'Hidden')
  t.strictSame(Object.keys(hidden), [])
  for (const error of [own, onPrototype, hidden]) t.strictSame(snapshot(cross(error)), snapshot(error))
})

void t.test('a side that does not know the class hands it on', async (t) => {
  class Between extends HttpError {}
  const encoded = structuredClone(encodeError(new HttpError(500, 'x')))
  const strange = JSON.parse(JSON.stringify(encoded.errors?.[0]?.[1])) as { classes: string[] }
  t.strictSame(strange.classes, ['HttpError', 'Error'])
  const mark = {}
  const properties = encoded.errors?.[0]?.[1].properties ?? []
  const middle = decodeError({
    value: mark,
    errors: [[mark, { classes: ['Between', 'HttpError', 'Error'], properties }]],
  })
  t.equal(Object.getPrototypeOf(middle), HttpError.prototype)
  registerError(Between)
  t.ok(cross(middle) instanceof Between)
})

void t.test('registerError refuses', async (t) => {
  const code = { code: 'ERR_INVALID_ARGUMENT', name: 'BulkheadError' }
  const wrong: unknown[] = [class {}, () => {}, undefined, null, 'Error', new Error('x'), Object, {}]
  for (const value of wrong) t.throws(() => registerError(value as never), code)
  t.throws(() => registerError(class extends Error {}), code)
  const other = { HttpError: class HttpError extends Error {}, TypeError: class TypeError extends Error {} }
  t.throws(() => registerError(other.HttpError), code)
  t.throws(() => registerError(other.TypeError), code)
  t.ok(cross(new HttpError(1, 'x')) instanceof HttpError, 'the first one stays')
  registerError(HttpError)
  registerError(TypeError)
  registerError(Error)
  registerError(BulkheadError)
  abstract class Abstract extends Error {}
  registerError(Abstract)
})

void t.test('errors of Node', async (t) => {
  try {
    readFileSync('/no/such/file')
  } catch (error) {
    const there = cross(error)
    t.match(there, { code: 'ENOENT', syscall: 'open', path: '/no/such/file', errno: (error as Any).errno })
    t.strictSame(snapshot(there), snapshot(error))
  }
  try {
    assert.deepStrictEqual({ a: 1 }, { a: 2 })
  } catch (error) {
    const there = cross(error)
    t.equal(there.name, 'AssertionError')
    t.match(there, {
      code: 'ERR_ASSERTION',
      actual: { a: 1 },
      expected: { a: 2 },
      operator: 'deepStrictEqual',
    })
    t.equal(there.stack, (error as Error).stack)
  }
  try {
    Buffer.alloc('x' as never)
  } catch (error) {
    const there = cross(error)
    t.ok(there instanceof TypeError)
    t.equal(there.code, 'ERR_INVALID_ARG_TYPE')
    t.strictSame(snapshot(there), snapshot(error))
  }
  try {
    execFileSync(process.execPath, ['-e', 'process.stderr.write("no"); process.exit(3)'], { stdio: 'pipe' })
  } catch (error) {
    const there = cross(error)
    t.equal(there.status, 3)
    t.ok(Buffer.isBuffer(there.stderr))
    t.equal(String(there.stderr), 'no')
  }
})

void t.test('errors of another realm', async (t) => {
  const there = cross(
    vm.runInNewContext(`Object.assign(new RangeError('far'), { a: { b: [new TypeError('in')] } })`),
  )
  t.ok(there instanceof RangeError)
  t.ok((there.a as { b: unknown[] }).b[0] instanceof TypeError)
  t.ok(cross(vm.runInNewContext(`class X extends SyntaxError {}; new X('far')`)) instanceof SyntaxError)
})
