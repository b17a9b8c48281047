import { inspect } from 'node:util'
import vm from 'node:vm'
import t from 'tap'
import {
  BulkheadError,
  bulkheadError,
  endedError,
  isBulkheadError,
  isDataCloneError,
} from '../../src/errors/bulkhead-error.ts'
import { combineErrors, describe, oneLine } from '../../src/errors/describe.ts'

function caller(): BulkheadError {
  return bulkheadError('ERR_CYCLE', { child: 'a', parent: 'b' }, { service: 'a' })
}

function thrownBy(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

function boom(): never {
  throw new Error('boom')
}

void t.test('a BulkheadError has its code, and what applies', async (t) => {
  const cause = new Error('why')
  const error = new BulkheadError('ERR_STOP_TIMEOUT', 'late', {
    cause,
    service: 'app/db',
    phase: 'onStop',
    exitCode: 3,
  })
  t.ok(error instanceof Error)
  t.equal(error.name, 'BulkheadError')
  t.equal(error.code, 'ERR_STOP_TIMEOUT')
  t.equal(error.message, 'late')
  t.equal(error.cause, cause)
  t.equal(error.service, 'app/db')
  t.equal(error.phase, 'onStop')
  t.equal(error.exitCode, 3)
  t.match(error.stack, /^BulkheadError: late\n/, 'the stack begins with the name')
})

void t.test('what does not apply is not there', async (t) => {
  const error = new BulkheadError('ERR_CYCLE', 'round')
  t.strictSame(Object.keys(error), ['code'])
  t.notOk(Object.hasOwn(error, 'cause'))
  t.notMatch(inspect(error), /undefined/)
  t.ok(Object.hasOwn(new BulkheadError('ERR_CYCLE', 'round', { cause: undefined }), 'cause'))
})

void t.test('bulkheadError takes the message from the table and its stack from the caller', async (t) => {
  const error = caller()
  t.match(error.message, 'a cannot be a child of b')
  t.equal(error.service, 'a')
  t.match(error.stack?.split('\n')[1], /caller/)
  // @ts-expect-error parameters are those of the code
  bulkheadError('ERR_CYCLE', { child: 'a' })
  // @ts-expect-error the code is in the table
  t.throws(() => bulkheadError('ERR_NO_SUCH_CODE', {}))
})

void t.test('details are not given twice', async (t) => {
  const error = bulkheadError('ERR_THREAD_EXITED', { service: 'a', exitCode: 0 }, { phase: 'onStop' })
  t.match(error, { service: 'a', exitCode: 0, phase: 'onStop' })
  const cause = new Error('why')
  t.match(bulkheadError('ERR_THREAD_OUT_OF_MEMORY', { service: 'a' }, { cause }), { service: 'a', cause })
  // @ts-expect-error it is among the parameters
  bulkheadError('ERR_THREAD_OUT_OF_MEMORY', { service: 'a' }, { service: 'a' })
})

void t.test('endedError tells a crash from a stop', async (t) => {
  const stopped = endedError('A call', 'a')
  t.match(stopped, { code: 'ERR_SERVICE_STOPPED', service: 'a', message: /^A call was not finished/ })
  t.notOk(Object.hasOwn(stopped, 'cause'))
  const crashed = endedError('A call', 'a', { reason: undefined })
  t.match(crashed, { code: 'ERR_SERVICE_CRASHED', service: 'a', message: /^A call was not finished/ })
  t.ok(Object.hasOwn(crashed, 'cause'), 'any reason is one')
})

void t.test('isDataCloneError', async (t) => {
  const { port1 } = new MessageChannel()
  t.ok(isDataCloneError(thrownBy(() => structuredClone(boom))))
  t.ok(isDataCloneError(thrownBy(() => port1.postMessage(port1))))
  t.ok(isDataCloneError(thrownBy(() => port1.postMessage({ port: new MessageChannel().port1 }))))
  t.notOk(isDataCloneError(thrownBy(boom)))
  t.notOk(isDataCloneError('DataCloneError'))
  port1.close()
})

void t.test('isBulkheadError', async (t) => {
  const error = bulkheadError('ERR_CYCLE', { child: 'a', parent: 'b' })
  t.ok(isBulkheadError(error))
  t.ok(isBulkheadError(error, 'ERR_CYCLE'))
  t.notOk(isBulkheadError(error, 'ERR_NO_MODULE'))
  t.ok(isBulkheadError(new (class Own extends BulkheadError {})('ERR_CYCLE', 'x')))

  const foreign: unknown = vm.runInNewContext(`
    Object.assign(new Error('x'), { name: 'BulkheadError', code: 'ERR_CYCLE' })`)
  t.notOk(foreign instanceof BulkheadError)
  t.ok(isBulkheadError(foreign))
  t.ok(isBulkheadError(foreign, 'ERR_CYCLE'))

  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const others: unknown[] = [
    undefined,
    null,
    'BulkheadError',
    42,
    new Error('x'),
    Object.assign(new Error('x'), { code: 'ERR_CYCLE' }),
    { name: 'BulkheadError' },
    { name: 'BulkheadError', code: 'toString' },
    { name: 'BulkheadError', code: 'ENOENT' },
    revoked.proxy,
  ]
  for (const [index, other] of others.entries()) t.equal(isBulkheadError(other), false, `other #${index}`)
})

void t.test('describe: one line on anything, and never an error', async (t) => {
  t.equal(describe(new TypeError('no')), 'TypeError: no')
  t.equal(describe(new Error('')), 'Error')
  t.equal(describe('text'), 'text')
  t.equal(describe({ a: { b: { c: 1 } } }), '{ a: { b: [Object] } }')
  t.equal(describe(undefined), 'undefined')
  t.equal(describe(vm.runInNewContext(`new RangeError('far')`)), 'RangeError: far')
  t.equal(describe(new DOMException('gone', 'AbortError')), 'AbortError: gone')
  const hostile: unknown[] = [
    Object.defineProperty(new Error('x'), 'name', { value: Symbol('name') }),
    Object.defineProperty(new Error('x'), 'message', { get: boom }),
    Object.setPrototypeOf(new Error('x'), null),
    new Proxy(new Error('x'), { get: boom, getPrototypeOf: boom, ownKeys: boom }),
    { [inspect.custom]: boom },
    { [inspect.custom]: () => 'two\n   lines' },
    { [inspect.custom]: () => Symbol('text') },
  ]
  for (const [index, value] of hostile.entries()) {
    t.type(describe(value), 'string', `hostile #${index}`)
    t.notMatch(oneLine(value), /\n/, `hostile #${index} in one line`)
  }
})

void t.test('combineErrors', async (t) => {
  const [a, b] = [new Error('a'), new Error('b')]
  t.equal(combineErrors([], 'x'), undefined)
  t.equal(combineErrors([a], 'x'), a)
  const both = combineErrors([a, b], 'x') as AggregateError
  t.ok(both instanceof AggregateError)
  t.strictSame(both.errors, [a, b])
})
