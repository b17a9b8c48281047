import t from 'tap'
import { isolate } from '../support/isolate.ts'
import { Calls } from '../fixtures/calls.ts'
import { Mortal } from '../fixtures/deaths.ts'
import { Nest } from '../fixtures/recorded.ts'
import { pino } from 'pino'
import { setLogger } from '../../src/index.ts'
import { both, failure, liveThreads, until } from '../support/both.ts'
import { type LogLine, record } from '../support/record.ts'

type Line = LogLine & { threadId?: number; detail?: unknown }

for (const how of ['exit', 'throw', 'reject', 'memory'] as const) {
  t.test(`lines before the end of a thread (${how}) arrive, in order`, async (t) => {
    const log = record(t)
    const handle = isolate(Mortal, { resourceLimits: { maxOldGenerationSizeMb: 64 } })
    await handle.start()
    const { threadId } = handle
    await failure(handle.lastWords(how, 500))
    await handle.stop()
    const lines = log.lines as Line[]
    const told = lines.filter(({ msg }) => /\] line \d+$/.test(msg))
    t.same(
      told.map(({ msg }) => msg),
      Array.from({ length: 500 }, (_, i) => `[Mortal] line ${i}`),
    )
    const last = lines.find(({ msg }) => msg === '[Mortal] the last')
    t.match(last, { level: 40, name: 'deaths', service: 'Mortal', threadId, detail: { how } })
    const crashed = log.problems.filter(({ msg }) => /Crashed/.test(msg))
    t.equal(crashed.length, 1, 'the crash is told once')
    t.equal(liveThreads(), 0)
  })
}

both('the level is the one of the logger here, and follows it', async (t, isolation) => {
  const lines: Line[] = []
  const logger = pino(
    { level: 'warn', base: null },
    { write: (text: string) => void lines.push(JSON.parse(text) as Line) },
  )
  setLogger(logger)
  t.teardown(() => setLogger(undefined))
  const handle = isolate(Calls, { isolation })
  await handle.start()
  await handle.log2('not told')
  t.same(lines, [])
  logger.level = 'info'
  await handle.same(1)
  await handle.log2('told')
  t.match(lines, [{ msg: '[Calls] told', level: 30, service: 'Calls' }])
  await handle.stop()
})

t.test('redaction and serializers of the logger here are applied', async (t) => {
  const lines: Line[] = []
  const write = (text: string): void => void lines.push(JSON.parse(text) as Line)
  setLogger(pino({ base: { app: 'mine' }, redact: ['detail.how'] }, { write }))
  t.teardown(() => setLogger(undefined))
  const handle = isolate(Mortal)
  await handle.start()
  await failure(handle.lastWords('exit', 0))
  await handle.stop()
  t.match(
    lines.find(({ msg }) => /the last/.test(msg)),
    { app: 'mine', detail: { how: '[Redacted]' } },
  )
})

t.test('a nested thread’s lines carry its own thread and path', async (t) => {
  const log = record(t)
  const handle = isolate(Nest, { args: ['thread', () => {}], label: 'Outer' })
  await handle.start()
  const inner = handle.children[0] as unknown as { threadId: number }
  const { threadId } = inner
  await handle.stop()
  const lines = log.lines as Line[]
  t.match(
    lines.find(({ msg }) => msg === '[Inner] Started'),
    { service: 'Outer/Inner', threadId },
  )
  t.equal(lines.filter(({ msg }) => msg === '[Inner] Started').length, 1, 'once')
  t.match(
    lines.find(({ msg }) => msg === '[Outer] Started'),
    { service: 'Outer' },
  )
})

both('a start that fails and a crash are told once', async (t, isolation) => {
  const { Recorded } = await import('../fixtures/recorded.ts')
  const log = record(t)
  const handle = isolate(Recorded, { isolation, args: [() => {}] })
  await handle.start()
  await handle.later('throw')
  await until(() => handle.state === 'crashed')
  await handle.stop()
  t.equal(log.problems.length, 1, JSON.stringify(log.problems))
  t.match(log.problems[0]?.err?.message, /a future failed/)
  log.lines.length = 0
  const again = isolate(Recorded, { isolation, args: [() => {}] })
  await again.start()
  await again.crash(new Error('from outside'))
  t.equal(log.problems.length, 1, JSON.stringify(log.problems))
  t.equal(log.lines.filter(({ msg }) => msg === '[Recorded] Stopped').length, 1)
})
