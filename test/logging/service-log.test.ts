import { execFileSync } from 'node:child_process'
import { inspect } from 'node:util'
import type { BaseLogger, Logger } from 'pino'
import t from 'tap'
import { getLogger, serviceLog } from '../../src/logging/service-log.ts'
import { onSinkLevelChange, setLogger, setSink, sinkFor, sinkLevel } from '../../src/logging/sink.ts'
import type { ServiceLog } from '../../src/logging/types.ts'
import { logTo, target } from './lines.ts'

t.afterEach(() => {
  setSink(undefined)
  setLogger(undefined)
})

const call = (log: Logger, level: keyof BaseLogger, args: unknown[]): void =>
  Reflect.apply(log[level] as () => void, log, args)

const logOf = (parent?: ServiceLog | Logger, prefix = 'Hasher'): ServiceLog =>
  serviceLog({ name: 'hasher', prefix: () => prefix, path: () => 'App/Hasher', parent })

void t.test('lines are what pino makes of the same call', async (t) => {
  const error = new RangeError('too far')
  const calls: unknown[][] = [
    ['text'],
    ['%s is %d years, %j %o', 'Ann', 41.5, { a: 1 }, { b: [2] }],
    ['100%'],
    ['100%%'],
    ['%d%% of %s', 5, 'all'],
    ['50%x %s', 'eaten', 'seen'],
    [{ a: 1 }],
    [{ a: 1 }, 'with %s', 'arguments'],
    [{ a: 1 }, { b: 2 }],
    [{ a: 1 }, null],
    [{ msg: 'own' }],
    [error],
    [error, 'because'],
    [error, 'because %s', 'of'],
    [{ err: error }],
    [{ err: error }, 'because'],
    [null],
    [null, 'after null'],
    [undefined, 'after undefined'],
    [undefined, { a: 1 }],
    [5],
    [true],
    [],
    [[1, 2], 'a list'],
    [{ n: Number.NaN, f() {}, u: undefined, d: new Date(0), big: 5n }],
    [{ level: 'own', name: 'other' }, 'overrides'],
  ]
  const { take, takeText, logger } = logTo({ level: 'trace' })
  const plain = logger.child({ name: 'some' })
  const log = getLogger('some')
  for (const args of calls) {
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const) {
      call(plain, level, args)
      const expected = takeText()
      call(log, level, args)
      t.same(takeText(), expected, `${level} ${inspect(args)}`)
    }
  }
  t.same(take(), [])
})

void t.test('a service line carries name, service and the prefix', async (t) => {
  const { take } = logTo()
  let path = 'Hasher'
  const log = serviceLog({ name: 'file:///app/hasher.ts', prefix: () => 'Hash', path: () => path })
  log.info('ready')
  path = 'App/Hasher'
  log.info({ port: 80 }, 'ready on %d', 80)
  log.info({ only: 'fields' })
  log.info(5)
  log.info({ a: 1 }, { b: 2 } as never)
  t.same(take(), [
    { level: 30, name: 'hasher', service: 'Hasher', msg: '[Hash] ready' },
    { level: 30, name: 'hasher', service: 'App/Hasher', port: 80, msg: '[Hash] ready on 80' },
    { level: 30, name: 'hasher', service: 'App/Hasher', only: 'fields' },
    { level: 30, name: 'hasher', service: 'App/Hasher', msg: '[Hash] 5' },
    { level: 30, name: 'hasher', service: 'App/Hasher', a: 1, msg: { b: 2 } },
  ])
  t.same(log.bindings(), { name: 'hasher', service: 'App/Hasher' })
  t.equal(log.msgPrefix, '[Hash] ')
})

void t.test('an error line has the text of the error, prefixed', async (t) => {
  const { take } = logTo()
  const error = new TypeError('no 100% match')
  const log = logOf()
  log.error(error)
  log.error({ err: error })
  log.error(error, 'failed %s', 'twice')
  log.exception(error)
  log.exception(error, 'failed %s', 'thrice')
  log.exception('thrown 5%')
  log.exception(undefined, 'nothing %s', 'thrown')
  log.critical('over')
  const lines = take()
  t.same(
    lines.map(({ msg }) => msg),
    [
      '[Hasher] no 100% match',
      '[Hasher] no 100% match',
      '[Hasher] failed twice',
      '[Hasher] no 100% match',
      '[Hasher] failed thrice',
      '[Hasher] thrown 5%',
      '[Hasher] nothing thrown',
      '[Hasher] over',
    ],
  )
  for (const { err, level } of lines.slice(0, 5)) {
    t.match(err, { type: 'TypeError', message: 'no 100% match', stack: error.stack })
    t.equal(level, 50)
  }
  t.equal(lines[5]?.err, 'thrown 5%')
  t.equal(lines[7]?.level, 60)
})

void t.test('a % in the prefix is text, with and without arguments', async (t) => {
  const { take } = logTo()
  for (const prefix of ['50%', '%s', '100%%', '%d%']) {
    const log = logOf(undefined, prefix)
    log.info('plain %%')
    log.info('%s|%d', 'text', 1)
    log.info({ a: 1 }, '%j', { b: 2 })
    t.same(
      take().map(({ msg }) => msg),
      [`[${prefix}] plain %%`, `[${prefix}] text|1`, `[${prefix}] {"b":2}`],
    )
  }
})

void t.test('children keep prefix and path and add fields, serializers and a msgPrefix', async (t) => {
  const { take } = logTo({ serializers: { req: () => 'outer', user: () => 'outer' } })
  const log = logOf().child(
    { a: 1 },
    { msgPrefix: 'HTTP ', serializers: { req: (r: { id: number }) => r.id } },
  )
  log.info({ req: { id: 5 }, user: {} }, 'in')
  log.child({ b: 2, req: { id: 6 } }).info('%s', 'out')
  log.child({}).info('same')
  const more = log.child({ a: 3 })
  more.setBindings({ c: 4 })
  more.info('more')
  const common = { level: 30, name: 'hasher', service: 'App/Hasher' }
  t.same(take(), [
    { ...common, a: 1, req: 5, user: 'outer', msg: '[Hasher] HTTP in' },
    { ...common, a: 1, b: 2, req: 6, msg: '[Hasher] HTTP out' },
    { ...common, a: 1, msg: '[Hasher] HTTP same' },
    { ...common, a: 3, c: 4, msg: '[Hasher] HTTP more' },
  ])
  const errors = logOf().child({}, { serializers: { err: (e: Error) => ({ short: e.message }) } })
  errors.error(new Error('first'))
  errors.exception(new Error('second'), 'text')
  t.match(take(), [
    { err: { short: 'first' }, msg: '[Hasher] first' },
    { err: { short: 'second' }, msg: '[Hasher] text' },
  ])
  t.throws(() => log.child(undefined as never), TypeError)
})

void t.test("redaction, serializers, formatters, mixins and hooks are the instance's", async (t) => {
  const { take } = logTo({
    redact: ['password', 'user.token'],
    serializers: { user: (user: object) => ({ ...user, seen: true }) },
    formatters: { level: (label) => ({ level: label }), log: (fields) => ({ ...fields, formatted: true }) },
    mixin: () => ({ mixed: 1 }),
    hooks: {
      logMethod(args, method) {
        method.apply(this, [{ ...(args[0] as object), hooked: args.length }, ...args.slice(1)] as never)
      },
    },
  })
  getLogger('x')
    .child({ password: 'p' })
    .info({ user: { token: 't' } }, '%o', { password: 'q' })
  getLogger('x')
    .child({}, { redact: ['card'] })
    .info({ card: 1, password: 'kept, as in pino' })
  t.match(take(), [
    {
      level: 'info',
      name: 'x',
      password: '[Redacted]',
      user: { token: '[Redacted]', seen: true },
      mixed: 1,
      formatted: true,
      hooked: 3,
      msg: '{"password":"[Redacted]"}',
    },
    { card: '[Redacted]', hooked: 1, password: 'kept, as in pino' },
  ])
  t.same(take(), [])
})

void t.test("the level is the instance's, live, unless set on the log", async (t) => {
  const { logger, take } = logTo({ level: 'warn' })
  const log = getLogger('x')
  const before = log.child({ before: true })
  t.equal(log.level, 'warn')
  t.equal(log.levelVal, 40)
  log.info('hidden')
  logger.level = 'debug'
  log.debug('shown')
  t.ok(log.isLevelEnabled('debug'))
  logger.level = 'error'
  const changes: unknown[] = []
  log.on('level-change', (...change) => changes.push(change.slice(0, 4)))
  log.level = 'trace'
  t.same(changes, [['trace', 10, 'error', 50]])
  log.trace('more than the instance')
  log.child({ c: 1 }).trace('child too')
  before.trace('made before: hidden')
  log.child({}, { level: 'fatal' }).error('hidden')
  log.level = 'silent'
  log.fatal('hidden')
  t.equal(log.isLevelEnabled('fatal'), false)
  t.same(
    take().map(({ msg }) => msg),
    ['shown', 'more than the instance', 'child too'],
  )
  t.throws(() => (log.level = 'loud'), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => log.child({}, { level: 'toString' }), { code: 'ERR_INVALID_ARGUMENT' })
})

void t.test('setLogger switches logs already made, and setSink goes before it', async (t) => {
  const log = logOf()
  const one = logTo()
  log.info('one')
  const two = logTo({ level: 'debug' })
  t.equal(sinkLevel(), 'debug')
  log.debug('two')
  const three = target()
  setSink(sinkFor(three.logger))
  setLogger(one.logger)
  log.info('three')
  setSink(undefined)
  log.info('one again')
  t.match(
    [one.take(), two.take(), three.take()],
    [
      [{ msg: '[Hasher] one' }, { msg: '[Hasher] one again' }],
      [{ msg: '[Hasher] two' }],
      [{ msg: '[Hasher] three' }],
    ],
  )
  setLogger(undefined)
  t.equal(log.level, 'info')
  for (const wrong of [{ level: 'info' }, 'pino', null, log]) {
    t.throws(() => setLogger(wrong as never), { name: 'BulkheadError', code: 'ERR_INVALID_ARGUMENT' })
  }
})

void t.test('who asks is told of each change of the level', async (t) => {
  const { logger } = logTo()
  const heard: string[] = []
  const off = onSinkLevelChange((level) => heard.push(level))
  logger.level = 'debug'
  logger.child({}, { level: 'trace' })
  getLogger('x').info('makes a child of level trace')
  logTo({ level: 'warn' })
  logger.level = 'error'
  const sink = sinkFor({ level: 'error' })
  setSink(sink)
  sink.level = 'fatal'
  off()
  setSink(undefined)
  t.same(heard, ['debug', 'warn', 'error', 'fatal'])
  t.equal(logger.listenerCount('level-change'), 0)
})

void t.test("a service's own logger", async (t) => {
  const shared = logTo()
  const own = target({ name: 'theirs', level: 'debug' })
  logOf(own.logger).debug('to the instance')
  const nameless = target()
  logOf(nameless.logger).child({ a: 1 }).info('to the instance')
  const parent = getLogger('billing').child({ region: 'eu' })
  parent.level = 'debug'
  logOf(parent).debug('by its name')
  const service = 'App/Hasher'
  t.same(own.takeText(), [
    `{"level":20,"name":"theirs","service":"${service}","msg":"[Hasher] to the instance"}\n`,
  ])
  t.same(nameless.take(), [{ level: 30, name: 'hasher', service, a: 1, msg: '[Hasher] to the instance' }])
  t.same(shared.take(), [{ level: 20, name: 'billing', service, region: 'eu', msg: '[Hasher] by its name' }])
})

void t.test('it stands in for a pino instance', async (t) => {
  const { take } = logTo()
  const log = getLogger('x')
  // These lines are checked by tsc.
  const asPino: Logger = log
  const asBase: BaseLogger = log
  asPino.child({ a: 1 }, { level: 'debug' }).debug('child')
  asBase.info('base')
  Object.create(log).info('derived')
  // @ts-expect-error pino's types check templates against their arguments
  log.info('%d', 'not a number')
  t.equal(asPino.levels.values.silent, Infinity)
  t.equal(asPino.levels.labels[30], 'info')
  t.match(take(), [{ a: 1, msg: 'child' }, { msg: 'base' }, { msg: 'derived' }, { msg: 'NaN' }])
  await new Promise<void>((resolve) => log.flush(() => resolve()))
})

void t.test('pino is loaded by the first line and not before', async (t) => {
  const script = `
    const { createRequire } = await import('node:module')
    const { getLogger } = await import('./src/logging/service-log.ts')
    const { setLogger, onSinkLevelChange, setSink, sinkLevel } = await import('./src/logging/sink.ts')
    const { PostSink } = await import('./src/logging/post-sink.ts')
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => /node_modules.pino/.test(file))
    const log = getLogger('x')
    onSinkLevelChange(() => {})
    setSink(new PostSink({ post() {} }))
    log.info('posted')
    setSink(undefined)
    log.debug('not written', log.level, sinkLevel())
    log.flush()
    const before = loaded()
    log.info({ before }, 'written')
    log.info({ after: loaded() })
  `
  const out = execFileSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  t.match(lines, [{ level: 30, name: 'x', before: false, msg: 'written', pid: Number }, { after: true }])
})
