import assert from 'node:assert'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import t from 'tap'
import { BulkheadError } from '../../src/errors/bulkhead-error.ts'
import { decodeError } from '../../src/errors/decode.ts'
import { type EncodedThrow, encodeError } from '../../src/errors/encode.ts'
import { type Any, HttpError, cross, snapshot } from './crossing.ts'

const { anyError } = fc.letrec<{ anyError: Error; anyValue: unknown }>((tie) => ({
  anyValue: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.anything({ withBigInt: true, withDate: true, withSparseArray: true, withNullPrototype: false }),
    tie('anyError'),
    fc.array(tie('anyValue'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('anyValue'), { maxKeys: 3, noNullPrototype: true }),
  ),
  anyError: fc
    .record({
      kind: fc.constantFrom(
        'Error',
        'TypeError',
        'AggregateError',
        'DOMException',
        'HttpError',
        'BulkheadError',
      ),
      message: fc.string(),
      name: fc.option(fc.string(), { nil: undefined }),
      cause: fc.option(tie('anyValue'), { nil: undefined }),
      errors: fc.array(tie('anyValue'), { maxLength: 2 }),
      properties: fc.dictionary(
        fc.string().filter((key) => !['stack', 'message', 'name', 'code', '__proto__'].includes(key)),
        tie('anyValue'),
        { maxKeys: 3 },
      ),
    })
    .map(({ kind, message, name, cause, errors, properties }) => {
      const error = make(kind, message, errors)
      if (cause !== undefined) error.cause = cause
      // The code of a DOMException follows from the name it was made with.
      if (name !== undefined && kind !== 'DOMException')
        Object.defineProperty(error, 'name', { value: name, configurable: true })
      return Object.assign(error, properties)
    }),
}))

function make(kind: string, message: string, errors: unknown[]): Error {
  if (kind === 'AggregateError') return new AggregateError(errors, message)
  if (kind === 'DOMException') return new DOMException(message, 'TimeoutError')
  if (kind === 'HttpError') return new HttpError(500, message)
  if (kind === 'BulkheadError') return new BulkheadError('ERR_CYCLE', message)
  return kind === 'TypeError' ? new TypeError(message) : new Error(message)
}

void t.test('property: random errors survive a double crossing', async () => {
  fc.assert(
    fc.property(anyError, (error) => {
      const before = JSON.stringify(snapshot(error), bigints)
      const once = cross(error)
      assert.deepStrictEqual(snapshot(once), snapshot(error))
      assert.deepStrictEqual(snapshot(cross(once)), snapshot(error))
      assert.equal(JSON.stringify(snapshot(error), bigints), before)
    }),
    { numRuns: 500 },
  )
})

const ALL = { depth: null, maxArrayLength: null, maxStringLength: null }

void t.test('property: anything at all can be thrown', async () => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withBoxedValues: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withSparseArray: true,
      }),
      (value) => {
        // deepStrictEqual of Node 20 holds two invalid dates for different.
        assert.equal(inspect(cross(value), ALL), inspect(structuredClone(value), ALL))
      },
    ),
    { numRuns: 500 },
  )
})

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

void t.test('across a real thread, there and back', async (t) => {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.tsx).then(async ({ register }) => {
      register()
      const { encodeError } = await import(workerData.room + 'encode.ts')
      const { decodeError } = await import(workerData.room + 'decode.ts')
      parentPort.on('message', (encoded) => {
        const error = decodeError(encoded)
        parentPort.postMessage({ back: encodeError(error), own: encodeError(new TypeError('own', { cause: error })) })
      })
    })`,
    {
      eval: true,
      workerData: {
        tsx: import.meta.resolve('tsx/esm/api'),
        room: new URL('../../src/errors/', import.meta.url).href,
      },
    },
  )
  t.teardown(() => worker.terminate())
  const error = Object.assign(new HttpError(500, 'x'), {
    cause: new AggregateError(
      [new BulkheadError('ERR_CYCLE', 'x'), AbortSignal.timeout(0).reason, 'text'],
      'many',
    ),
    bytes: Buffer.from('abc'),
    fn: undefined,
  })
  const answer = new Promise<{ back: EncodedThrow; own: EncodedThrow }>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  worker.postMessage(encodeError(error), [])
  const { back, own } = await answer
  const there = decodeError(back) as Any
  t.ok(there instanceof HttpError, 'though the thread does not know the class')
  t.strictSame(snapshot(there), snapshot(error))
  const thrown = decodeError(own) as Any
  t.ok(thrown instanceof TypeError)
  t.match(thrown.stack, /^TypeError: own\n\s+at /)
  t.strictSame(snapshot(thrown.cause), snapshot(error))
})
