import { Writable } from 'node:stream'
import pino from 'pino'
import t from 'tap'
import { setLogger } from '../../src/logging/sink.ts'
import { Supervisor, type SupervisorEvent } from '../../src/supervisor/supervisor.ts'
import { settle } from '../support/fake-clock.ts'
import { Probe, stage } from './support.ts'

const boom = new Error('boom')

t.test('events are plain data: what, whom, why, how many restarts, when', async (t) => {
  const { supervisor, probes, events, clock } = stage({ labels: ['a'] })
  await supervisor.start()
  const at = clock.wallTime()
  await probes[0]!.crash(boom)
  await settle()
  await probes[0]!.crash(boom)
  await clock.advance(100)
  const common = { child: probes[0], path: 'top/a', reason: boom }
  t.strictSame(events, [
    { ...common, type: 'crash', restarts: 1, at },
    { ...common, type: 'restarting', restarts: 1, at },
    { ...common, type: 'restarted', restarts: 1, at },
    { ...common, type: 'crash', restarts: 2, at },
    { ...common, type: 'backoff', restarts: 2, delayMs: 100, at },
    { ...common, type: 'restarting', restarts: 2, at: at + 100 },
    { ...common, type: 'restarted', restarts: 2, at: at + 100 },
  ])
  await supervisor.stop()
})

function delayOf(event: SupervisorEvent): number | undefined {
  if (event.type === 'backoff') return event.delayMs
  // @ts-expect-error only a backoff has a delay
  return event.delayMs
}

t.test('the type tells what is there', async (t) => {
  t.equal(typeof delayOf, 'function')
})

t.test('the crash is told in its own turn, and on() returns what ends it', async (t) => {
  const { supervisor, probes } = stage()
  await supervisor.start()
  const heard: string[] = []
  const listener = (event: SupervisorEvent): void => void heard.push(event.type)
  const off = supervisor.on(listener)
  const offAgain = supervisor.on(listener)
  const crashing = probes[0]!.crash(boom)
  t.same(heard, ['crash', 'crash'])
  off()
  await crashing
  await settle()
  t.same(heard.slice(2), ['restarting', 'restarted'], 'each subscription ends for itself')
  offAgain()
  await supervisor.stop()
})

t.test('a listener that throws keeps nothing from anybody', async (t) => {
  const { supervisor, probes } = stage()
  supervisor.on(() => {
    throw new Error('listener')
  })
  const heard: string[] = []
  supervisor.on(({ type }) => heard.push(type))
  await supervisor.start()
  await probes[0]!.crash(boom)
  await settle()
  t.same(heard, ['crash', 'restarting', 'restarted'])
  await supervisor.stop()
})

t.test(
  'the log tells what crashed, why, what is done, what is left and when the next try comes',
  async (t) => {
    const lines: Record<string, unknown>[] = []
    const sink = new Writable({
      write(chunk, _encoding, done) {
        lines.push(JSON.parse(String(chunk)))
        done()
      },
    })
    setLogger(pino({ level: 'info' }, sink))
    t.teardown(() => setLogger(pino({ level: 'silent' })))
    const { supervisor, probes, clock } = stage({ labels: ['a'], maxRestarts: 2 })
    probes[0]!.starting = (run) => {
      if (run === 2) throw new Error('not yet')
    }
    await supervisor.start()
    await probes[0]!.crash(boom)
    await clock.advance(100)
    await probes[0]!.crash(boom)
    await settle()
    const told = lines.filter(({ event }) => event !== undefined)
    t.match(told, [
      {
        event: 'crash',
        level: 50,
        service: 'top',
        child: 'top/a',
        msg: '[top] top/a crashed (strategy one-for-one, restarts left: 1)',
        err: { message: 'boom', stack: /events\.test\.ts/ },
      },
      { event: 'restarting', level: 30, msg: '[top] Restarting top/a now (restarts left: 1)' },
      {
        event: 'restart-failed',
        level: 50,
        msg: '[top] top/a failed to start again (restarts left: 0)',
        err: { message: 'not yet' },
      },
      {
        event: 'backoff',
        level: 40,
        delayMs: 100,
        msg: '[top] Restarting top/a in 100 ms, at 2024-01-01T00:00:00.100Z (restarts left: 0)',
      },
      { event: 'restarting' },
      { event: 'restarted', level: 30, msg: '[top] top/a is running again (restarts left: 0)' },
      { event: 'crash', restartsLeft: 0 },
      {
        event: 'gave-up',
        level: 50,
        msg: '[top] Giving up on top/a: the children are stopped, then this supervisor crashes',
        err: { type: 'BulkheadError' },
      },
    ])
    t.equal(told.length, 8)
  },
)

t.test('the log of a forfeit, and of a supervisor without limits', async (t) => {
  const texts: unknown[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      texts.push((JSON.parse(String(chunk)) as { msg: unknown }).msg)
      done()
    },
  })
  setLogger(pino({ level: 'info' }, sink))
  t.teardown(() => setLogger(pino({ level: 'silent' })))
  const probe = new Probe('a')
  const forfeiting = new Supervisor([probe], { label: 'top', strategy: 'forfeit-one-for-one' })
  await forfeiting.start()
  await probe.crash(boom)
  t.ok(texts.includes('[top] top/a crashed (strategy forfeit-one-for-one, no restart)'))
  t.ok(texts.includes('[top] top/a stays crashed; this supervisor goes on without it'))
  await forfeiting.stop()
  await forfeiting.remove(probe)
  const endless = new Supervisor([probe], { label: 'top', maxRestarts: Infinity })
  await endless.start()
  await probe.crash('a reason that is no error')
  t.ok(texts.includes('[top] top/a crashed (strategy one-for-one, no limit to restarts)'))
  await endless.stop()
})
