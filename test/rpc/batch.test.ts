import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import t from 'tap'
import { isBulkheadError } from '../../src/index.ts'
import { Inbox, Outbox, callsOf, repliesOf } from '../../src/rpc/batch.ts'
import { plainCall } from '../../src/rpc/comlink-client.ts'
import { DirectCallers } from '../../src/serve/direct-callers.ts'
import { portLine } from '../../src/transport/port.ts'
import { Batched } from '../fixtures/batched.ts'
import { failure, quiet } from '../support/both.ts'
import { isolate } from '../support/isolate.ts'

quiet()

const nothing = (): void => {}
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

void t.test('what is held goes together, and before what is not', async (t) => {
  const sent: unknown[] = []
  const outbox = new Outbox((message) => sent.push(message))
  outbox.holdReply(1, 'one')
  outbox.holdReply(2, undefined)
  t.same(sent, [])
  outbox.post('other')
  t.same(sent.splice(0), [['replies', 1, 'one', 2, undefined], 'other'])
  outbox.flush()
  t.same(sent, [], 'nothing is no message')
  outbox.holdCall(3, 'add', [1, 2])
  outbox.holdCall(4, 'none', [])
  t.same(sent, [])
  await Promise.resolve()
  t.same(
    sent.splice(0),
    [['calls', 3, 'add', 2, 1, 2, 4, 'none', 0]],
    'no timer: as soon as the code that runs is over',
  )
  for (let n = 0; n < 60; n++) outbox.holdCall(n, 'm', [n])
  await Promise.resolve()
  const calls = sent.flatMap((parts) => callsOf(parts as ['calls']))
  t.same(
    calls.map(({ id }) => id),
    Array.from({ length: 60 }, (_, n) => n),
  )
  t.ok(sent.length > 2, 'not too many at once')
})

void t.test('what was held together comes apart as it was', async (t) => {
  const value = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.bigInt())
  const call = fc.record({ id: fc.nat(), method: fc.string(), args: fc.array(value) })
  fc.assert(
    fc.property(fc.array(call, { maxLength: 20 }), fc.array(fc.tuple(fc.nat(), value)), (calls, replies) => {
      let sent: unknown = ['calls']
      const outbox = new Outbox((held) => (sent = held))
      for (const { id, method, args } of calls) outbox.holdCall(id, method, args)
      outbox.flush()
      t.strictSame(
        callsOf(sent as ['calls']),
        calls.map(({ id, method, args }) => plainCall(id, method, args)),
      )
      sent = ['replies']
      for (const [id, reply] of replies) outbox.holdReply(id, reply)
      outbox.flush()
      t.strictSame(
        repliesOf(sent as ['replies']),
        replies.map(([id, reply]) => ({ id, value: reply })),
      )
    }),
    { numRuns: 50 },
  )
})

/** By the name of their method, which also tells how long they take. */
const calls = (...methods: string[]): unknown[] => [
  'calls',
  ...methods.flatMap((method, id) => [id, method, 0]),
]
const one = (method: string): object => plainCall(0, method, [])

function inbox() {
  const events: string[] = []
  const takes = new Map([['slow', 5]])
  let now = 0
  const outbox = new Outbox((message) => {
    const values = Array.isArray(message) ? repliesOf(message as never) : [message as { value: string }]
    events.push(`sent ${values.map(({ value }) => String(value)).join('+')}`)
  })
  const box: Inbox = new Inbox(
    (message) => {
      const [method] = (message as { path: [string] }).path
      events.push(method)
      // As a method that is async: its work, and its reply, some microtasks later.
      void Promise.resolve()
        .then(() => (now += takes.get(method) ?? 0))
        .then(() => box.reply({ id: 0, value: method.toUpperCase() }))
    },
    outbox,
    { now: () => now },
  )
  return { box, takes, take: () => events.splice(0) }
}

void t.test('calls that came together run together once they are known to be quick', async (t) => {
  const { box, take } = inbox()
  box.receive(one('a'))
  await nextTurn()
  t.same(take(), ['a', 'sent A'], 'one by itself')
  box.receive(calls('a', 'a', 'b'))
  await nextTurn()
  t.same(take(), ['a', 'sent A', 'a', 'sent A', 'b', 'sent B'])
  box.receive(calls('a', 'b', 'a'))
  await nextTurn()
  t.same(take(), ['a', 'b', 'a', 'sent A+B+A'])
})

void t.test('no reply waits for a call that is not known to be quick', async (t) => {
  const { box, take } = inbox()
  box.receive(calls('a', 'slow', 'a', 'a', 'slow', 'a'))
  for (let i = 0; i < 10; i++) await nextTurn()
  const events = take()
  t.same(
    events.filter((event) => !event.startsWith('sent')),
    ['a', 'slow', 'a', 'a', 'slow', 'a'],
    'in order',
  )
  t.ok(events.indexOf('sent A') < events.indexOf('slow'))
  t.same(events.slice(-4), ['slow', 'sent SLOW', 'a', 'sent A'])
})

void t.test('one that was quick and is not any more is found out', async (t) => {
  const { box, takes, take } = inbox()
  box.receive(calls('a', 'b'))
  await nextTurn()
  takes.set('a', 5)
  box.receive(calls('a', 'b'))
  await nextTurn()
  await nextTurn()
  take()
  box.receive(calls('a', 'b'))
  await nextTurn()
  await nextTurn()
  t.same(take().slice(0, 2), ['a', 'sent A'])
})

void t.test(
  'what arrives during a batch comes after it, also while that lets others have a turn',
  async (t) => {
    const { box, take } = inbox()
    box.receive(calls('slow', 'a'))
    box.receive(one('b'))
    box.receive(calls('c', 'd'))
    await nextTurn()
    for (let i = 0; i < 10; i++) await nextTurn()
    t.same(
      take().filter((event) => !event.startsWith('sent')),
      ['slow', 'a', 'b', 'c', 'd'],
    )
  },
)

void t.test('what is done is told before anything else in the thread has its turn', async (t) => {
  const { box, take } = inbox()
  box.receive(calls('slow', 'a'))
  await nextTurn()
  t.same(take().slice(0, 2), ['slow', 'sent SLOW'])
})

void t.test('no more than a few run together, and one where their number is limited', async (t) => {
  for (const together of [25, 1]) {
    const groups: number[] = []
    let begun = 0
    const outbox = new Outbox(() => {})
    const box = new Inbox(() => (begun += 1), outbox, {
      together: together === 1 ? 1 : undefined,
      // Asked before and after each group.
      now: () => {
        if (begun > 0) groups.push(begun)
        begun = 0
        return 0
      },
    })
    for (let round = 0; round < 2; round++) box.receive(calls(...Array.from({ length: 60 }, () => 'a')))
    await nextTurn()
    await nextTurn()
    t.equal(
      groups.reduce((sum, size) => sum + size, 0),
      120,
    )
    t.equal(Math.max(...groups), together)
  }
})

void t.test('a message that throws does not hold up the others', async (t) => {
  const seen: unknown[] = []
  const receive = (message: unknown): void => {
    const [method] = (message as { path: [string] }).path
    if (method === 'bad') throw new Error('bad')
    seen.push(method)
  }
  const box = new Inbox(receive, new Outbox(() => {}), { now: () => 0 })
  t.throws(() => box.receive(calls('bad', 'a')), { message: 'bad' })
  box.receive(one('b'))
  await nextTurn()
  t.same(seen, ['a', 'b'])
})

void t.test('many callers, each with a port of its own, leave no listeners on the process', async (t) => {
  const before = process.listenerCount('exit')
  const callers = new DirectCallers({ serve: nothing, problem: nothing, together: undefined })
  for (let n = 0; n < 20; n++) callers.add(portLine(new MessageChannel().port1))
  t.equal(process.listenerCount('exit'), before)
  callers.end(() => new Error('over'))
})

void t.test('a reply is there while a call that came with it blocks the thread', async (t) => {
  const handle = isolate(Batched)
  await handle.start()
  const memory = new SharedArrayBuffer(4)
  await handle.useGate(memory)
  const pending = Array.from({ length: 20 }, () => failure(handle.never()))
  for (let round = 0; round < 3; round++) {
    Atomics.store(new Int32Array(memory), 0, 0)
    const before = [handle.quick(1), handle.quick(2)]
    const blocked = handle.block()
    const after = handle.quick(3)
    t.same(await Promise.all(before), [1, 2])
    Atomics.store(new Int32Array(memory), 0, 1)
    Atomics.notify(new Int32Array(memory), 0)
    t.equal(await blocked, 'open')
    t.equal(await after, 3)
  }
  await handle.stop()
  for (const error of await Promise.all(pending)) t.ok(isBulkheadError(error, 'ERR_SERVICE_STOPPED'))
})

void t.test('replies that were ready when the thread exits arrive; all calls settle', async (t) => {
  const handle = isolate(Batched)
  await handle.start()
  const warm = Array.from({ length: 60 }, (_, n) => handle.quickThenExit(n + 1))
  await Promise.all(warm)
  const calls = Array.from({ length: 60 }, (_, n) => handle.quickThenExit(n < 40 ? n + 1 : 0))
  const outcomes = await Promise.allSettled(calls)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') t.ok(isBulkheadError(outcome.reason, 'ERR_SERVICE_CRASHED'))
  }
  t.equal(outcomes[0]?.status, 'fulfilled')
  t.equal(outcomes.at(-1)?.status, 'rejected')
})

void t.test('calls within a limit are not refused because they came together', async (t) => {
  const handle = isolate(Batched, { concurrency: 1, maxQueue: 4 })
  await handle.start()
  for (let round = 0; round < 5; round++) {
    const outcomes = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => handle.quick(n)))
    t.same(
      outcomes.filter(({ status }) => status === 'rejected'),
      [],
    )
  }
  await handle.stop()
})

void t.test('very many arguments', async (t) => {
  const handle = isolate(Batched)
  await handle.start()
  const pending = Array.from({ length: 12 }, () => failure(handle.never()))
  const many = Array.from({ length: 50_000 }, (_, n) => n)
  t.equal(await handle.quick(...(many as [number])), 0)
  await handle.stop()
  await Promise.all(pending)
})
