import { type Isolation, isBulkheadError } from '../../src/index.ts'
import { isolate } from '../support/isolate.ts'
import { Calls, Queue } from '../fixtures/calls.ts'
import { both, failure, quiet, sleep, until } from '../support/both.ts'

quiet()

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
