import { isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Calls, Reserved, Thenable } from '../fixtures/calls.ts'
import { both, failure, fixture, quiet, until } from '../support/both.ts'

quiet()

type AnyHandle = Record<string, (...args: unknown[]) => Promise<unknown>>

both('methods are called directly', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  t.equal(await handle.same('x'), 'x')
  t.equal(await handle.sync(2, 3), 5, 'sync ones return a promise')
  t.ok(handle.sync(1, 1) instanceof Promise)
  t.equal(await handle.nothing(), undefined)
  t.equal(await handle.inherited(), 'inherited', 'declared by any of the own classes')
  t.equal(await handle.overridden(), 'base, overridden')
  t.equal(await handle.count(), 0)
  t.equal(await handle.count(undefined, null, 0), 3)
  t.equal(await handle.hidden(), 'secret guarded internal')
  const { same } = handle
  t.equal(await same('detached'), 'detached')
  t.same(await Promise.all(Array.from({ length: 200 }, (_, i) => handle.same(i))), [
    ...Array.from({ length: 200 }).keys(),
  ])
  await handle.stop()
})

both('what is no public method of its own classes: ERR_NO_SUCH_METHOD', async (t, isolation) => {
  const handle = isolate(Calls, { isolation }) as unknown as AnyHandle & {
    start(): Promise<void>
    stop(): Promise<void>
  }
  await handle.start()
  const names = [
    ...[
      'postInit',
      'onInitDependencies',
      'onFirstStart',
      'onStart',
      'onStarted',
      'onStop',
      'onShutdown',
      'onRestart',
    ],
    ...[
      'addDependency',
      'addTask',
      'addTimer',
      'addCron',
      'addFuture',
      'use',
      'sleep',
      'wait',
      'interval',
      'log',
    ],
    ...['background', 'tick', '_internal', '_any', 'arrow', 'plain', 'accessor', 'statically', 'missing', ''],
    ...[
      'hasOwnProperty',
      'toString',
      'valueOf',
      'isPrototypeOf',
      'propertyIsEnumerable',
      '__defineGetter__',
      '__proto__',
    ],
    ...[
      'pendingWork',
      'waitFirst',
      'signal',
      'removeDependency',
      'addRuntimeDependency',
      'waitForShutdown',
      'toJSON',
    ],
    ...['toLocaleString', 'constructor'],
  ]
  const with_ = (handle as unknown as { with(options: object): AnyHandle }).with({})
  for (const name of names) {
    // What every object has is there, as on any object; it does not reach the service.
    const direct = typeof handle[name] === 'function' && !(name in Object.prototype) && name !== 'constructor'
    if (direct) t.ok(isBulkheadError(await failure(handle[name]!()), 'ERR_NO_SUCH_METHOD'), name)
    else if (!(name in Object.prototype)) t.equal(handle[name], undefined, name)
    if (name === 'toJSON') t.equal(with_[name], undefined)
    else t.ok(isBulkheadError(await failure(with_[name]!()), 'ERR_NO_SUCH_METHOD'), `with().${name}`)
  }
  const error = await failure(handle['missing']!())
  t.match(error.message, /Calls/)
  t.match(error.message, /missing/)
  await handle.stop()
})

both('the life cycle through with() does not reach the service', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  const remote = handle.with({}) as unknown as AnyHandle
  for (const name of [
    'start',
    'stop',
    'restart',
    'crash',
    'maybeStart',
    'setShutdown',
    'waitUntilStopped',
    'onChange',
    'with',
  ]) {
    t.ok(isBulkheadError(await failure(remote[name]!()), 'ERR_NO_SUCH_METHOD'), name)
  }
  t.equal(remote['then'], undefined)
  t.equal(handle.state, 'running')
  await handle.stop()
})

both('await handle and JSON.stringify(handle) are harmless', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  t.equal(await Promise.resolve(handle), handle)
  t.doesNotThrow(() => JSON.stringify(handle))
  t.doesNotThrow(() => Object.prototype.toString.call(handle))
  await handle.start()
  t.equal(await Promise.resolve(handle), handle)
  t.doesNotThrow(() => JSON.stringify({ handle }))
  t.equal((handle as unknown as { then?: unknown }).then, undefined)
  t.equal((handle as unknown as { toJSON?: unknown }).toJSON, undefined)
  const remote = handle.with({})
  t.equal(await Promise.resolve(remote), remote)
  await handle.stop()
})

both('a public method with a name of the handle: ERR_RESERVED_NAME', async (t, isolation) => {
  for (const serviceClass of [Reserved, Thenable]) {
    const error = await failure(
      (async () => {
        const handle = isolate(serviceClass as unknown as typeof Calls, { isolation })
        await handle.start()
      })(),
    )
    t.ok(isBulkheadError(error, 'ERR_RESERVED_NAME'), serviceClass.name)
    t.match(error.message, /with|then/)
  }
  const byUrl = isolate(fixture('calls'), { isolation, export: 'OwnThreadId' })
  t.ok(isBulkheadError(await failure(byUrl.start()), 'ERR_RESERVED_NAME'))
})

both('calls while it is not running', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  const early = await failure(handle.same(1))
  t.ok(isBulkheadError(early, 'ERR_NOT_RUNNING'), 'before start')
  t.equal(early.service, 'Calls')
  const starting = handle.start()
  t.equal(handle.state, 'starting')
  t.equal(await handle.same('waited'), 'waited', 'one made while it starts waits for that')
  t.equal(handle.state, 'running')
  await starting
  const stopping = handle.stop()
  t.ok(isBulkheadError(await failure(handle.same(1)), 'ERR_NOT_RUNNING'), 'while stopping')
  await stopping
  t.ok(isBulkheadError(await failure(handle.same(1)), 'ERR_NOT_RUNNING'), 'after stop')
  const restarting = handle.restart()
  await until(() => handle.state === 'starting')
  t.equal(await handle.same('again'), 'again', 'while a restart starts it')
  await restarting
  await handle.stop()
})

both('a call that waits for a start is refused when that start fails', async (t, isolation) => {
  const handle = isolate(Calls, { isolation, export: 'NoSuchThing' })
  const starting = failure(handle.start())
  const call = failure(handle.same(1))
  const error = await call
  t.ok(isBulkheadError(error), String(error))
  t.equal(error.code, 'ERR_SERVICE_CRASHED')
  t.equal(error.cause, await starting)
})

both('with({ timeout, signal })', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  t.equal(await handle.with({}).same(1), 1)
  t.equal(await handle.with({ timeout: '5s' }).sync(1, 2), 3)
  const late = await failure(handle.with({ timeout: 20 }).never())
  t.ok(isBulkheadError(late, 'ERR_CALL_TIMEOUT'))
  t.match(late.message, /never/)
  const controller = new AbortController()
  const aborted = failure(handle.with({ signal: controller.signal }).never())
  const reason = new RangeError('enough')
  controller.abort(reason)
  t.equal(await aborted, reason)
  t.equal(await failure(handle.with({ signal: controller.signal }).same(1)), reason, 'aborted already')
  const byTime = await failure(handle.with({ signal: AbortSignal.timeout(10), timeout: '1m' }).never())
  t.equal(byTime.name, 'TimeoutError')
  t.throws(() => handle.with({ timeout: 'soon' }), { code: 'ERR_INVALID_DURATION' })
  t.ok(isBulkheadError(await failure(handle.with({ timeout: 0 }).never()), 'ERR_CALL_TIMEOUT'))
  t.equal(await handle.same('fine'), 'fine')
  await handle.stop()
})
