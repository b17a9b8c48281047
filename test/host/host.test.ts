import pino from 'pino'
import t, { type Test } from 'tap'
import { Host, type HostOptions } from '../../src/host/host.ts'
import type { ShutdownReport } from '../../src/report/shutdown-report.ts'
import { Service, isBulkheadError, setLogger } from '../../src/index.ts'
import { setLoadingModule } from '../../src/service/loading.ts'

const lines: string[] = []
const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })

function hostOf(t: Test, services: Service[], options: HostOptions = {}): Host {
  const { exitCode } = process
  t.teardown(() => (process.exitCode = exitCode))
  lines.length = 0
  return new Host(services, { logger, signals: [], dumpSignal: false, ...options })
}

class Sub extends Service {
  constructor(label: string, hooks: Partial<Record<'onStart' | 'onStop', () => void | Promise<void>>> = {}) {
    super({ label })
    this.lifecycleLevel = 'silent'
    this.onStartHook = hooks.onStart
    this.onStopHook = hooks.onStop
  }
  readonly onStartHook
  readonly onStopHook
  protected override async onStart(): Promise<void> {
    await this.onStartHook?.()
  }
  protected override async onStop(): Promise<void> {
    await this.onStopHook?.()
  }
}

const fail = (text: string) => () => {
  throw new Error(text)
}
const outcomes = ({ services }: ShutdownReport): [string, string][] =>
  services.map(({ path, outcome }) => [path, outcome])

void t.test('the report has a row for each service, depth first, with every phase', async (t) => {
  const [a, b, c] = [new Sub('a'), new Sub('b'), new Sub('c')]
  a.addDependency(b)
  const host = hostOf(t, [a, c])
  await host.start()
  const report = await host.shutdown()
  t.same(report, JSON.parse(JSON.stringify(report)), 'JSON-safe')
  t.same(
    report.services.map(({ path }) => path),
    ['Host', 'Host/a', 'Host/a/b', 'Host/c'],
  )
  t.match(report, { reason: 'stop', withinBudget: true, budgetMs: 25_000, totalMs: Number })
  for (const row of report.services) {
    t.match(row, { label: String, isolation: 'inline', outcome: 'clean', errors: [], startedAtMs: Number })
    t.same(Object.keys(row.phases), [
      'drain',
      'onStop',
      'children',
      'waitForShutdown',
      'futures',
      'onShutdown',
    ])
    for (const ms of Object.values(row.phases)) t.equal(ms, Math.round(ms * 10) / 10)
  }
  t.same(await host.shutdown(), report, 'asked again, it tells the same')
})

void t.test('shutdown() before a start', async (t) => {
  const report = await hostOf(t, [new Sub('a')]).shutdown()
  t.match(report, { reason: 'stop', totalMs: 0, withinBudget: true })
  t.same(outcomes(report), [
    ['Host', 'not-started'],
    ['Host/a', 'not-started'],
  ])
})

void t.test('shutdown() resolves also when services fail to stop, and run() with it', async (t) => {
  const stuck = new Sub('stuck', { onStop: () => new Promise(() => {}) })
  const host = hostOf(t, [new Sub('bad', { onStop: fail('no') }), stuck], { stopTimeout: 40 })
  const running = host.run()
  await started(host)
  const report = await host.shutdown()
  t.same(outcomes(report).slice(1), [
    ['Host/bad', 'clean'],
    ['Host/stuck', 'timed-out'],
  ])
  t.match(report.services[1]!.errors, [{ name: 'Error', message: 'no', phase: 'onStop' }])
  t.match(report.services[2]!.errors, [{ code: 'ERR_STOP_TIMEOUT', phase: 'onStop' }])
  t.equal(report.withinBudget, false)
  t.same(await running, report)
  t.equal(process.exitCode, 1)
  t.equal(lines.filter((line) => line.includes('The stop met an error')).length, 2)
})

void t.test('a failed start: who failed, who was stopped, who never started', async (t) => {
  const host = hostOf(t, [new Sub('first'), new Sub('bad', { onStart: fail('no luck') }), new Sub('last')])
  const report = await host.run()
  t.equal(process.exitCode, 1)
  t.equal(report.reason, 'start-failed')
  t.same(outcomes(report), [
    ['Host', 'clean'],
    ['Host/first', 'clean'],
    ['Host/bad', 'crashed'],
    ['Host/last', 'not-started'],
  ])
  t.match(report.services[2]!.errors, [{ name: 'Error', message: 'no luck' }])
  t.ok(isBulkheadError(host.crashReason, 'ERR_START_FAILED'))
  t.match(lines.join(''), 'Failed to start')
})

void t.test('a child that was given up before the shutdown does not spoil it', async (t) => {
  const child = new Sub('child', { onStop: fail('late') })
  const host = hostOf(t, [child], { strategy: 'forfeit-one-for-one' })
  const running = host.run()
  await started(host)
  const forfeited = new Promise<void>((resolve) => host.on(({ type }) => type === 'forfeited' && resolve()))
  await child.crash(new Error('gone'))
  await forfeited
  await host.stop()
  const report = await running
  t.same(outcomes(report).at(-1), ['Host/child', 'crashed'])
  t.equal(process.exitCode, 0)
})

void t.test('a restart is no end of run()', async (t) => {
  const host = hostOf(t, [new Sub('a')])
  const running = host.run()
  await started(host)
  await host.restart()
  t.equal(host.state, 'running')
  await host.stop()
  t.match(await running, { reason: 'stop' })
  t.equal(process.exitCode, 0)

  const again = host.run()
  await started(host)
  await host.crash(new Error('now'))
  t.match(await again, { reason: 'crash', services: [{ outcome: 'crashed' }, { outcome: 'clean' }] })
  t.equal(process.exitCode, 1)
})

void t.test('run() of one that is up, and in a thread that loads a module', async (t) => {
  const before = process.listenerCount('SIGUSR2')
  const host = hostOf(t, [], { signals: ['SIGUSR2'] })
  const running = host.run()
  await t.rejects(host.run(), { code: 'ERR_INVALID_STATE', service: 'Host' })
  t.equal(process.listenerCount('SIGUSR2'), before + 1)
  await host.stop()
  await running
  await host.start()
  await t.rejects(host.run(), { code: 'ERR_INVALID_STATE' })
  await host.stop()

  setLoadingModule('app.ts')
  t.teardown(() => setLoadingModule(undefined))
  await t.rejects(host.run(), { code: 'ERR_STARTED_WHILE_LOADING' })
  t.equal(process.listenerCount('SIGUSR2'), before)
})

void t.test('shutdown() from inside resolves at once, with what there is', async (t) => {
  let report: ShutdownReport | undefined
  const service = new Sub('service')
  service.addTask('ask', async () => {
    await service.sleep(10)
    report = await host.shutdown()
  })
  const host = hostOf(t, [service])
  t.match(await host.run(), { reason: 'stop', services: [{ outcome: 'clean' }, { outcome: 'clean' }] })
  t.match(report, { reason: 'stop', services: [{ path: 'Host' }, { path: 'Host/service' }] })
})

void t.test('its logger serves from the start to the end, then the one before', async (t) => {
  const others: string[] = []
  setLogger(pino({ level: 'info' }, { write: (line: string) => void others.push(line) }))
  t.teardown(() => setLogger(undefined))
  const host = hostOf(t, [])
  host.log.info('before')
  await host.start()
  host.log.info('meanwhile')
  await host.stop()
  host.log.info('after')
  t.same(
    others.map((line) => (JSON.parse(line) as { msg: string }).msg),
    ['[Host] before', '[Host] after'],
  )
  const own = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
  t.equal(own[0], '[Host] Starting...')
  t.equal(own.at(-1), '[Host] Shutdown complete!')
})

void t.test('options that are no good', async (t) => {
  const cases: [object, string, RegExp][] = [
    [{ stopTimeout: '5' }, 'ERR_INVALID_DURATION', /'5'/],
    [{ signals: ['SIGNOPE'] }, 'ERR_INVALID_ARGUMENT', /'SIGNOPE' is not a signal/],
    [{ signals: ['SIGKILL'] }, 'ERR_INVALID_ARGUMENT', /SIGKILL/],
    [{ dumpSignal: 'SIGTERM' }, 'ERR_INVALID_ARGUMENT', /SIGTERM cannot both/],
    [{ logger: 'stdout' }, 'ERR_INVALID_ARGUMENT', /'stdout'/],
    [{ logger: { level: 'loud' } }, 'ERR_INVALID_ARGUMENT', /'loud'/],
  ]
  for (const [options, code, message] of cases) {
    t.throws(() => new Host([], options), { code, message })
  }
})

async function started(host: Host): Promise<void> {
  while (host.state !== 'running') await new Promise((resolve) => setImmediate(resolve))
}

void t.test('a crash that a supervisor passes up began in the child', async (t) => {
  const [a, b] = [new Sub('a'), new Sub('b')]
  const host = hostOf(t, [a, b], { strategy: 'crash' })
  await host.start()
  await b.crash(new Error('passed up'))
  await host.waitUntilStopped()
  const report = await host.shutdown()
  t.same(outcomes(report), [
    ['Host', 'clean'],
    ['Host/a', 'clean'],
    ['Host/b', 'crashed'],
  ])
  t.match(report, { reason: 'crash' })
})

void t.test('what outlives the rest of a budget is told of in whole milliseconds', async (t) => {
  const host = hostOf(t, [new Sub('a', { onStop: () => new Promise(() => {}) })], { stopTimeout: 50.4321 })
  await host.start()
  const report = await host.shutdown()
  t.match(report.services[1]?.errors[0]?.message, /^Host\/a did not stop within 50 ms: /)
})
