import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import t from 'tap'
import { BulkheadError } from '../../src/errors/bulkhead-error.ts'
import { PostSink } from '../../src/logging/post-sink.ts'
import { getLogger, serviceLog } from '../../src/logging/service-log.ts'
import { onSinkLevelChange, setLogger, setSink, sinkLevel, writeRecord } from '../../src/logging/sink.ts'
import type { LogRecord, ServiceLog } from '../../src/logging/types.ts'
import { asInThread, type Line, logTo, type Target } from './lines.ts'

t.afterEach(() => {
  setSink(undefined)
  setLogger(undefined)
})

const makeLog = (): ServiceLog => serviceLog({ name: 'hasher', prefix: () => '9%', path: () => 'App/Hasher' })

/** The lines of `work` here and from a thread. */
function both({ take }: Target, work: (log: ServiceLog) => void): [Line[], Line[]] {
  work(makeLog())
  const here = take()
  asInThread(() => work(makeLog()), sinkLevel())
  const there = take()
  for (const line of there) {
    if (line.threadId !== 7) throw new Error(`no thread id in ${JSON.stringify(line)}`)
    delete line.threadId
  }
  return [here, there]
}

const any = (log: ServiceLog): ((...args: unknown[]) => void) => log.info.bind(log) as never

class HttpError extends Error {
  statusCode = 404
}
class WithJSON extends Error {
  toJSON(): object {
    return { json: this.message }
  }
}
class Money {
  #cents = 5
  currency = 'EUR'
  toString(): string {
    return `${this.#cents} cents`
  }
  valueOf(): number {
    return this.#cents
  }
}
class Listed extends Array<number> {
  toJSON(): string {
    return `${this.length} numbers`
  }
}
const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'hidden' })
const nothing = (): void => {}
const circular: Record<string, unknown> = { a: 1 }
circular.self = circular

const errorWithCode = Object.assign(new TypeError('bad', { cause: new HttpError('root') }), { code: 'E_BAD' })
const aggregate = new AggregateError([new RangeError('one'), errorWithCode], 'several')

const calls: Record<string, unknown[]> = {
  text: ['text'],
  template: ['%s %d %i %j %o %%', 'a', 1.5, 2.5, { b: 1 }, ['c']],
  'missing argument': ['%s %s', 'only one'],
  'unknown placeholder': ['%x %s', 'eaten', 'seen'],
  fields: [{ a: 1, list: [1, { b: undefined }], date: new Date(0), big: 5n, nan: Number.NaN }],
  'fields and text': [{ a: 1 }, 'text'],
  'an own text': [{ msg: 'own' }],
  error: [errorWithCode],
  'error and text': [errorWithCode, 'failed: %s', errorWithCode],
  err: [{ err: new HttpError('lost') }],
  'aggregate error': [aggregate],
  'error of our own': [new BulkheadError('ERR_NO_MODULE', 'none', { service: 'App' })],
  'error with toJSON': [{ failure: new WithJSON('json') }, '%j', new WithJSON('json')],
  'errors deep in fields': [{ list: [{ failed: new HttpError('deep') }] }],
  'class instance': [{ price: new Money() }],
  'placeholders that ask an object': ['%s is %d is %i', new Money(), new Money(), new Money()],
  toJSON: [
    { url: new URL('http://a/b?c'), buffer: Buffer.from('abc') },
    '%j %s',
    new URL('http://a'),
    Buffer.from('x'),
  ],
  'toJSON at the top is not asked': [{ a: 1, nested: { toJSON: (): string => 'nested' } }],
  'toJSON of an array, and one that is not enumerable': [{ list: Listed.of(1, 2), nested: { hidden } }],
  'map, set, regexp, bytes': [
    { map: new Map([[1, 2]]), set: new Set([1]), re: /x/, bytes: new Uint8Array([1, 2]) },
  ],
  'functions and symbols in templates': [
    '%o %j %s %d %s',
    nothing,
    (() => () => {})(),
    nothing,
    nothing,
    Symbol('s'),
  ],
  'an error of another realm': [runInNewContext('new RangeError("foreign")')],
  circular: [circular],
  shared: [{ one: circular, two: circular }],
  'own __proto__': [JSON.parse('{"__proto__": {"a": 1}, "b": {"__proto__": 2}}')],
  null: [null],
  nothing: [],
  number: [5, 'ignored'],
  list: [[1, 2], 'list'],
  'text that is an object': [{ a: 1 }, { b: 2 }, { c: 3 }],
}

void t.test('a line from a thread is the line written here', async (t) => {
  const serializers = { user: (user: { name: string }) => user.name }
  const plain = logTo({ serializers, mixin: () => ({ mixed: true }) })
  for (const [name, args] of Object.entries(calls)) {
    const [here, there] = both(plain, (log) => {
      any(log)(...args)
      any(log.child({ reqId: 1, user: { name: 'Bob' } }, { msgPrefix: '8% ' }))(...args)
      any(log.child({ reqId: 1 }, { serializers: { err: (e: Error) => e.message } }))(...args)
      log.exception(args[0], 'text %s', args[1])
      log.exception(args[0])
    })
    t.equal(here.length, 5)
    t.same(there, here, name)
  }
  // Only for plain data: pino's own redaction throws for class instances in templates.
  const refused = new HttpError('refused')
  const redacting = logTo({ redact: ['password', 'user.name'] })
  const [here, there] = both(redacting, (log) => {
    any(log)(
      { password: 'secret', user: { name: 'Ann' } },
      '%o %j',
      { password: 'secret' },
      { user: { name: 'Ann' } },
    )
    log.child({ password: 'secret' }).error(refused)
  })
  t.same(there, here)
  t.notMatch(JSON.stringify(there), /secret|Ann/)
})

function hasText(value: unknown): boolean {
  try {
    return typeof String(value) === 'string'
  } catch {
    // Such as { toString: 0 }.
    return false
  }
}

void t.test('so is any line of any data', async (t) => {
  const made = logTo({ redact: ['a', '*.b'] })
  const data = fc.object({
    // pino's redaction drops it from plain objects, and not from those without a prototype, which arrive as plain ones.
    key: fc.string().filter((key) => key !== '__proto__'),
    withBigInt: true,
    withDate: true,
    withNullPrototype: true,
    withSparseArray: true,
  })
  const template = fc
    .array(fc.constantFrom('%s', '%d', '%o', '%j', '%i', '%%', '%', 'x', ' '))
    .map((parts) => parts.join(''))
  // %s throws for what has no text, here; never in a thread.
  const argument = fc.oneof(
    fc.string(),
    fc.double(),
    fc.jsonValue().filter((value) => value !== null && hasText(value)),
    fc.constant(undefined),
  )
  fc.assert(
    fc.property(
      data,
      data,
      template,
      fc.array(argument, { maxLength: 4 }),
      (fields, bindings, text, args) => {
        const [here, there] = both(made, (log) => {
          any(log)(fields, text, ...args)
          any(log.child(bindings))(text, ...args)
        })
        t.same(there, here)
      },
    ),
    { numRuns: 200 },
  )
})

void t.test('what cannot be cloned costs no line and throws nothing', async (t) => {
  const { take } = logTo()
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const deep: { next?: object } = {}
  for (let at = deep, i = 0; i < 20_000; i++) at = at.next = {}
  const values: Record<string, [unknown, unknown]> = {
    function: [nothing, '[Function: nothing]'],
    class: [HttpError, '[class HttpError extends Error]'],
    symbol: [Symbol('s'), 'Symbol(s)'],
    proxy: [new Proxy({ a: 1 }, {}), { a: 1 }],
    'revoked proxy': [proxy, /revoked/i],
    'throwing proxy': [
      new Proxy(
        { a: 1 },
        {
          get: () => {
            throw new Error('trap')
          },
        },
      ),
      String,
    ],
    getter: [
      {
        get bad(): never {
          throw new Error('no')
        },
        good: 1,
      },
      { bad: /bad threw Error: no/, good: 1 },
    ],
    promise: [Promise.resolve(), {}],
    'weak map': [new WeakMap(), {}],
    'map of functions': [new Map([[1, nothing]]), /Map/],
    'toJSON that throws': [
      {
        toJSON: (): never => {
          throw new Error('no')
        },
      },
      String,
    ],
    'error with a function': [Object.assign(new Error('e'), { nothing }), {}],
    deep: [deep, Object],
  }
  for (const [name, [value, expected]] of Object.entries(values)) {
    asInThread(() => {
      getLogger('x').info({ value, label: name }, '%s', name)
      getLogger('x').child({ value }).info(name)
      t.doesNotThrow(() => any(makeLog())('%s', value, name), name)
      t.doesNotThrow(() => any(makeLog())(value, name), name)
      t.doesNotThrow(() => getLogger('x').exception(value), name)
    })
    const lines = take()
    t.equal(lines.length, 5, name)
    t.match(lines[0], { label: name, value: expected, threadId: 7, msg: name }, name)
    t.match(lines[1], { value: expected, threadId: 7, msg: name }, name)
  }
  const sink = new PostSink({
    post() {
      throw new Error('port closed')
    },
  })
  t.doesNotThrow(() => sink.write({ level: 'info', name: 'x', time: 0 }))
})

void t.test('levels over threads', async (t) => {
  const { logger, take } = logTo()
  asInThread(() => {
    const log = getLogger('x')
    t.equal(log.level, 'info')
    log.debug('hidden')
    log.info('shown')
    log.level = 'debug'
    log.debug('shown, by its own level')
    logger.level = 'error'
    getLogger('y').info('hidden: the level was raised meanwhile')
  })
  t.same(
    take().map(({ msg }) => msg),
    ['shown', 'shown, by its own level'],
  )
  const posted: LogRecord[] = []
  const sink = new PostSink({ post: (record) => posted.push(record), level: 'silent' })
  setSink(sink)
  const heard: string[] = []
  const off = onSinkLevelChange((level) => heard.push(level))
  const log = getLogger('x')
  log.fatal('hidden')
  sink.level = 'trace'
  log.trace('shown')
  off()
  t.match(posted, [{ level: 'trace', msg: 'shown', threadId: 0, time: Number, name: 'x' }])
  t.same(heard, ['trace'])
})

void t.test('a record goes through threads between, whole and with the id of its own', async (t) => {
  const { take } = logTo()
  const records: LogRecord[] = []
  const error = new HttpError('deep')
  setSink(new PostSink({ threadId: 9, post: (record) => records.push(structuredClone(record)) }))
  getLogger('x').error(error)
  setSink(undefined)
  asInThread(() => writeRecord(records[0]!))
  t.match(take(), [
    {
      threadId: 9,
      msg: 'deep',
      err: { type: 'HttpError', message: 'deep', stack: error.stack, statusCode: 404 },
    },
  ])
})

void t.test('a serializer that throws costs neither the line nor the process', async (t) => {
  const { take } = logTo({
    serializers: {
      bad() {
        throw new Error('of the serializer')
      },
    },
  })
  asInThread(() => getLogger('x').info({ bad: 1 }, 'text %s', 'kept'))
  t.same(take(), [
    { level: 30, name: 'x', threadId: 7, logError: 'Error: of the serializer', msg: 'text %s' },
  ])
})
