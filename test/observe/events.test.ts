import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import {
  type CallContext,
  type CrashContext,
  type HangContext,
  type StartContext,
  type StateContext,
  type StopContext,
  type SupervisorContext,
} from '../../src/index.ts'
import { Busy } from '../fixtures/busy.ts'
import { Observed } from '../fixtures/observed.ts'
import { both, failure, quiet, until } from '../support/both.ts'
import { isolate } from '../support/isolate.ts'
import { record } from '../support/record.ts'

quiet()

/** What is published on a channel until the test is over. */
function heard<C>(t: { teardown(done: () => void): void }, name: string): C[] {
  const contexts: C[] = []
  const listener = (message: unknown): void => void contexts.push(message as C)
  subscribe(name, listener)
  t.teardown(() => unsubscribe(name, listener))
  return contexts
}

const STEPS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

/** What is traced, each time with the step. */
function traced<C>(t: { teardown(done: () => void): void }, name: string): (readonly [string, C])[] {
  const events: (readonly [string, C])[] = []
  for (const step of STEPS) {
    const listener = (message: unknown): void => void events.push([step, message as C])
    const channel = `tracing:${name}:${step}`
    subscribe(channel, listener)
    t.teardown(() => unsubscribe(channel, listener))
  }
  return events
}

const ended = <C>(events: (readonly [string, C])[]): C[] =>
  events.flatMap(([step, context]) => (step === 'asyncEnd' ? [context] : []))

both('a start, its states and a stop', async (t, isolation) => {
  const states = heard<StateContext>(t, 'bulkhead:state')
  const starts = traced<StartContext>(t, 'bulkhead:start')
  const stops = traced<StopContext>(t, 'bulkhead:stop')
  const handle = isolate(Observed, { isolation })
  await handle.start()
  await handle.stop()
  const own = states.filter(({ service }) => service === 'Observed')
  t.same(
    own.map(({ state, previous }) => `${previous} -> ${state}`),
    ['init -> starting', 'starting -> running', 'running -> stopping', 'stopping -> stopped'],
  )
  t.ok(own.every((event) => event.isolation === isolation))
  t.same(
    [...new Set(states.map(({ service }) => service))].toSorted(),
    ['Observed', 'Observed/Watch', 'Observed/Watch/Inner'],
    'those inside, too',
  )

  const start = starts.filter(([, { service }]) => service === 'Observed')
  t.same(
    start.map(([step]) => step),
    ['start', 'end', 'asyncStart', 'asyncEnd'],
  )
  t.match(start.at(-1)?.[1], { isolation, phase: 'onStarted', phases: { construction: Number } })
  const stop = stops.filter(([, { service }]) => service === 'Observed')
  t.same(
    stop.map(([step]) => step),
    ['start', 'end', 'asyncStart', 'asyncEnd'],
  )
  t.match(stop.at(-1)?.[1].phases, { onStop: Number })
})

both('how calls end', async (t, isolation) => {
  const handle = isolate(Observed, { isolation, concurrency: 1, maxQueue: 0 })
  const calls = traced<CallContext>(t, 'bulkhead:call')
  const take = (): string[] =>
    ended(calls.splice(0)).map(({ service, method, outcome, code }) => {
      t.equal(service, 'Observed')
      return `${method} ${outcome}${code === undefined ? '' : ` ${code}`}`
    })
  await failure(handle.add(1, 2))
  t.same(take(), ['add refused ERR_NOT_RUNNING'])
  const starting = handle.start()
  t.equal(await handle.add(1, 2), 3)
  t.ok((ended(calls)[0]?.queuedMs ?? 0) >= 0, 'it waited for the start')
  t.same(take(), ['add ok'])
  await starting
  await failure(handle.throwIt())
  t.same(take(), ['throwIt error ERR_NOT_RUNNING'], 'whatever the code of what the method threw')
  await failure((handle as unknown as { nothing(): Promise<void> }).nothing())
  t.same(take(), ['nothing refused ERR_NO_SUCH_METHOD'])

  const running = failure(handle.with({ timeout: '1h' }).never())
  await failure(handle.add(1, 2))
  t.same(take(), ['add refused ERR_OVERLOADED'])
  const aborted = new AbortController()
  const given = failure(handle.with({ signal: aborted.signal }).never())
  aborted.abort(new Error('no more'))
  await given
  t.same(take(), ['never aborted'])
  await handle.stop({ timeout: 0 }).catch(() => {})
  await running
  t.same(take(), ['never stopped ERR_SERVICE_STOPPED'])
})

both('a call past its time, and one that a crash cut short', async (t, isolation) => {
  const handle = isolate(Observed, { isolation })
  await handle.start()
  const calls = traced<CallContext>(t, 'bulkhead:call')
  await failure(handle.with({ timeout: 1 }).never())
  const pending = failure(handle.never())
  await handle.crash(new Error('down'))
  await pending
  t.same(
    ended(calls).map(({ outcome, code }) => [outcome, code]),
    [
      ['timeout', 'ERR_CALL_TIMEOUT'],
      ['crashed', 'ERR_SERVICE_CRASHED'],
    ],
  )
})

both('a call that gives a stream ends with it', async (t, isolation) => {
  const handle = isolate(Observed, { isolation })
  await handle.start()
  const calls = traced<CallContext>(t, 'bulkhead:call')
  const items: number[] = []
  for await (const item of handle.count(3)) {
    items.push(item)
    t.equal(ended(calls).length, 0, 'not before')
  }
  t.same(items, [0, 1, 2])
  for await (const _item of handle.count(3)) break
  t.same(
    ended(calls).map(({ outcome }) => outcome),
    ['ok', 'ok'],
  )
  await handle.stop()
})

both('a stream that throws, and one that a crash cuts short, on both sides', async (t, isolation) => {
  const handle = isolate(Observed, { isolation })
  await handle.start()
  await handle.listenHere()
  const calls = traced<CallContext>(t, 'bulkhead:call')
  const outcomes = (): unknown[] =>
    ended(calls.splice(0)).map(({ method, outcome, code }) => [method, outcome, code])
  await failure(handle.broken()[Symbol.asyncIterator]().next())
  t.same(outcomes(), [['broken', 'error', undefined]])
  t.match(await handle.served(), [{ method: 'broken', outcome: 'error' }])
  calls.splice(0)
  const unread = handle.count(3)[Symbol.asyncIterator]()
  const read = handle.count(3)[Symbol.asyncIterator]()
  await Promise.all([unread.next(), read.next()])
  await handle.crash(new Error('down'))
  t.same(outcomes(), [
    ['count', 'crashed', 'ERR_SERVICE_CRASHED'],
    ['count', 'crashed', 'ERR_SERVICE_CRASHED'],
  ])
})

both('a handle that came back tells no state a second time', async (t, isolation) => {
  const states = heard<StateContext>(t, 'bulkhead:state')
  const own = isolate(Observed, { isolation, label: 'Own' })
  const other = isolate(Observed, { isolation })
  await Promise.all([own.start(), other.start()])
  const back = (await other.giveBack(own)) as typeof own
  states.splice(0)
  await back.stop()
  await until(() => back.state === 'stopped', 'the handle that came back')
  t.same(
    states.filter(({ service }) => service === 'Own').map(({ state }) => state),
    ['stopping', 'stopped'],
  )
  await other.stop()
})

both('who steers on being told hears of one change after the other', async (t, isolation) => {
  for (const channel of ['bulkhead:state', 'tracing:bulkhead:start:start']) {
    const handle = isolate(Observed, { isolation })
    const told: string[] = []
    handle.onChange(({ previous, state }) => told.push(`${previous} -> ${state}`))
    let stopping: Promise<void> | undefined
    const steer = (): void => void (stopping ??= handle.stop())
    subscribe(channel, steer)
    const error = await failure(handle.start())
    unsubscribe(channel, steer)
    await stopping
    t.equal(error['code'], 'ERR_STOPPED_WHILE_STARTING', channel)
    t.same(told, ['init -> starting', 'starting -> stopping', 'stopping -> stopped'], channel)
  }
})

both('what is served is told where the service is', async (t, isolation) => {
  const handle = isolate(Observed, { isolation })
  await handle.start()
  await handle.listenHere()
  await handle.served()
  await handle.add(1, 2)
  await failure(handle.throwIt())
  for await (const _item of handle.count(1));
  const served = (await handle.served()) as CallContext[]
  t.match(served, [
    { service: 'Observed', isolation, method: 'add', outcome: 'ok' },
    { method: 'throwIt', outcome: 'error', code: 'ERR_NOT_RUNNING' },
    { method: 'count', outcome: 'ok' },
  ])
  await handle.stop()
})

both('a crash inside is told once, with what its supervisor does about it', async (t, isolation) => {
  const crashes = heard<CrashContext>(t, 'bulkhead:crash')
  const events = heard<SupervisorContext>(t, 'bulkhead:supervisor')
  const handle = isolate(Observed, { isolation })
  await handle.start()
  await handle.fallInside()
  await until(() => events.length === 3, 'what the supervisor tells')
  t.match(crashes, [{ service: 'Observed/Watch/Inner', isolation: 'inline' }])
  t.equal(crashes.length, 1)
  t.ok(crashes[0]?.reason instanceof RangeError)
  t.match(
    events.map(({ type, service, path, child }) => ({
      type,
      service,
      path,
      label: (child as { label: string }).label,
    })),
    ['crash', 'restarting', 'restarted'].map((type) => ({
      type,
      service: 'Observed/Watch',
      path: 'Observed/Watch/Inner',
      label: 'Inner',
    })),
  )
  const reason = new Error('from outside')
  await handle.crash(reason)
  t.same(
    crashes.slice(1).map(({ service, isolation: place }) => [service, place]),
    [['Observed', isolation]],
    'of the service itself its handle tells',
  )
  t.equal(crashes[1]?.reason, reason)
})

void t.test('a thread that stands still, beside the line in the log', async (t) => {
  const log = record(t)
  const hangs = heard<HangContext>(t, 'bulkhead:hang')
  const handle = isolate(Busy, { hangWarning: 50 })
  await handle.start()
  await handle.loopFor(1500)
  t.match(hangs, [{ service: 'Busy', isolation: 'thread', forMs: Number, stack: /loopFor/ }])
  t.match(
    log.lines.filter(({ msg }) => msg.includes('No sign of life')),
    [{ msg: /^\[Busy\] No sign of life from its thread/ }],
  )
  await handle.stop()
})

void t.test('a start that fails, and a listener of a store', async (t) => {
  const starts = traced<StartContext>(t, 'bulkhead:start')
  const handle = isolate(new URL('file:///nowhere.js'))
  const error = await failure(handle.start())
  t.same(
    starts.map(([step]) => step),
    ['start', 'end', 'error', 'asyncStart', 'asyncEnd'],
  )
  t.equal(starts.at(-1)?.[1].error, error)
  t.ok(tracingChannel('bulkhead:call'), 'the channels are those of diagnostics_channel')
})
