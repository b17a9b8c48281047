import { type Isolation, isBulkheadError, isolate } from '../../src/index.ts'
import { Calls, Queue, Reserved, Thenable } from '../fixtures/calls.ts'
import { both, failure, fixture, quiet, sleep, until } from '../support/both.ts'

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

function queue(
  isolation: Isolation,
  options: { concurrency?: number; maxQueue?: number; drainTimeout?: number },
) {
  let facts = { ran: [] as string[], most: 0, held: [] as string[] }
  let give: ((order: string) => void) | undefined
  const orders: string[] = []
  const control = (told: string): Promise<string> => {
    facts = JSON.parse(told) as typeof facts
    return new Promise((resolve) => {
      const next = orders.shift()
      if (next === undefined) give = resolve
      else resolve(next)
    })
  }
  const handle = isolate(Queue, { isolation, args: [control], ...options })
  const order = (what: string): void => {
    const waiting = give
    give = undefined
    if (waiting) waiting(what)
    else orders.push(what)
  }
  const look = async (): Promise<typeof facts> => {
    await until(() => give)
    order('nobody')
    await until(() => give)
    return facts
  }
  return { handle, letGo: order, look }
}

both('concurrency, maxQueue, and a queued call that was given up never runs', async (t, isolation) => {
  const { handle, letGo, look } = queue(isolation, { concurrency: 2, maxQueue: 4 })
  await handle.start()
  const controller = new AbortController()
  const a = handle.hold('a')
  const b = handle.hold('b')
  const c = handle.hold('c')
  const d = failure(handle.with({ timeout: 30 }).hold('d'))
  const e = failure(handle.with({ signal: controller.signal }).hold('e'))
  const f = handle.hold('f')
  const g = await failure(handle.hold('g'))
  t.ok(isBulkheadError(g, 'ERR_OVERLOADED'))
  t.match(g.message, /4/)
  controller.abort(new Error('no more'))
  t.equal((await e).message, 'no more')
  t.ok(isBulkheadError(await d, 'ERR_CALL_TIMEOUT'))
  const held = await look()
  t.same(held.ran, ['a', 'b'], 'two at once')
  letGo('a')
  t.equal(await a, 'a')
  await until(async () => (await look()).held.includes('c'))
  letGo('b')
  t.equal(await b, 'b')
  await until(async () => (await look()).held.includes('f'))
  letGo('c')
  letGo('f')
  t.same(await Promise.all([c, f]), ['c', 'f'])
  const { ran, most } = await look()
  t.same(ran, ['a', 'b', 'c', 'f'], 'first come, first served; d and e never ran')
  t.equal(most, 2)
  t.equal(await handle.quick('after'), 'after')
  await handle.stop()
})

both('stop: calls in flight may finish before onStop, queued ones reject at once', async (t, isolation) => {
  const { handle, letGo, look } = queue(isolation, { concurrency: 1 })
  await handle.start()
  const running = handle.hold('running')
  const queued = failure(handle.hold('queued'))
  await look()
  const stopping = handle.stop()
  t.ok(isBulkheadError(await queued, 'ERR_SERVICE_STOPPED'), 'queued')
  t.equal(handle.state, 'stopping')
  t.ok(isBulkheadError(await failure(handle.quick('x')), 'ERR_NOT_RUNNING'), 'a new one')
  letGo('running')
  t.equal(await running, 'running', 'in flight: it finishes')
  await stopping
})

both('a call in flight that outlives drainTimeout rejects when the service is down', async (t, isolation) => {
  const handle = isolate(Calls, { isolation, drainTimeout: 50 })
  await handle.start()
  const outcome = failure(handle.never())
  const dozing = handle.doze(10)
  const from = Date.now()
  await handle.stop()
  t.ok(isBulkheadError(await outcome, 'ERR_SERVICE_STOPPED'))
  t.equal(await dozing, 10)
  const took = Date.now() - from
  t.ok(took >= 45, `${took} ms: it was given its time`)
  t.equal(handle.state, 'stopped')
})

both('draining takes at most half of what is left', async (t, isolation) => {
  const handle = isolate(Calls, { isolation, drainTimeout: '30s' })
  await handle.start()
  const outcome = failure(handle.never())
  const from = Date.now()
  await handle.stop({ timeout: 400 })
  const took = Date.now() - from
  t.ok(took >= 150 && took < 390, `${took} ms`)
  t.ok(isBulkheadError(await outcome, 'ERR_SERVICE_STOPPED'))
})

both('every call settles when it stops or crashes: 1,000 in flight', async (t, isolation) => {
  const handle = isolate(Calls, { isolation, drainTimeout: 0 })
  await handle.start()
  const flood = Array.from({ length: 1000 }, () => failure(handle.never()))
  await handle.stop()
  const codes = new Set((await Promise.all(flood)).map(({ code }) => code))
  t.same([...codes], ['ERR_SERVICE_STOPPED'])
  await handle.start()
  const again = Array.from({ length: 1000 }, () => failure(handle.never()))
  const reason = new Error('the end')
  await handle.crash(reason)
  const errors = await Promise.all(again)
  t.ok(errors.every(({ code, cause }) => code === 'ERR_SERVICE_CRASHED' && cause === reason))
})

both('calls that race with a stop settle one way or the other', async (t, isolation) => {
  const handle = isolate(Calls, { isolation })
  await handle.start()
  const outcomes: Promise<unknown>[] = []
  for (let i = 0; i < 50; i++)
    outcomes.push(handle.same(i).then(String, (error: { code: string }) => error.code))
  const stopping = handle.stop()
  for (let i = 0; i < 50; i++)
    outcomes.push(handle.same(i).then(String, (error: { code: string }) => error.code))
  await stopping
  const settled = await Promise.race([Promise.all(outcomes), sleep(2000)])
  t.ok(Array.isArray(settled), 'all of them')
  const told = settled as string[]
  t.ok(
    told.slice(0, 50).every((text, i) => text === String(i)),
    'those in flight were answered',
  )
  t.ok(told.slice(50).every((text) => text === 'ERR_NOT_RUNNING'))
})
