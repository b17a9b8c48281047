import { Host, Service, formatReport } from '../../src/index.ts'
import { Started } from '../fixtures/started.ts'
import { both, quiet } from '../support/both.ts'
import { isolate } from '../support/isolate.ts'

quiet()

const STEPS = ['postInit', 'onInitDependencies', 'onFirstStart', 'onStart', 'children', 'onStarted']

both(
  'the report of a start: each service with its steps, those of the other side too',
  async (t, isolation) => {
    const handle = isolate(Started, { isolation })
    const host = new Host([handle])
    t.equal(host.startReport, undefined)
    await host.start()
    const report = host.startReport!
    t.same(report, JSON.parse(JSON.stringify(report)), 'JSON-safe')
    t.equal(report.outcome, 'running')
    t.same(
      report.services.map(({ path, outcome }) => [path, outcome]),
      [
        ['Host', 'running'],
        ['Host/Started', 'running'],
        ['Host/Started/Below', 'running'],
      ],
    )
    const [root, started, below] = report.services
    t.match(started, { label: 'Started', isolation })
    t.equal(started!.threadId, isolation === 'thread' ? handle.threadId : undefined)
    t.same(Object.keys(started!.phases), [
      ...(isolation === 'thread' ? ['threadStart'] : []),
      ...['moduleLoad', 'construction'],
      ...STEPS,
    ])
    t.same(
      Object.keys(below!.phases),
      STEPS.filter((step) => step !== 'children'),
    )

    // One clock across threads: each lies within what waited for it, but for the rounding.
    const within = (inner: typeof root, outer: typeof root): boolean =>
      inner!.startedAtMs! >= outer!.startedAtMs! - 0.2 &&
      inner!.startedAtMs! + inner!.totalMs! <= outer!.startedAtMs! + outer!.totalMs! + 0.2
    t.ok(within(started, root))
    t.ok(within(below, started))
    const sum = Object.values(started!.phases).reduce((total, ms) => total + ms, 0)
    t.ok(sum <= started!.totalMs! + 1, 'the steps are not more than the whole')
    t.match(formatReport(report), /^Start \(running\): 3 services in .*\nHost +inline +running /)
    await host.stop()
    t.equal(host.startReport, report, 'it stays until the next start')
  },
)

both('the report of a start that fails', async (t, isolation) => {
  const host = new Host([isolate(Started, { isolation, args: [true] }), isolate(Started, { isolation })])
  await t.rejects(host.start())
  const report = host.startReport!
  t.equal(report.outcome, 'failed')
  t.same(
    report.services.map(({ path, outcome }) => [path, outcome]),
    [
      ['Host', 'failed'],
      ['Host/Started', 'failed'],
      ['Host/Started/Below', 'failed'],
      ['Host/Started#2', 'not-started'],
    ],
  )
  t.equal(report.services[3]!.totalMs, undefined)
  const [root, started] = report.services
  t.ok(root!.phases.children! >= started!.totalMs! - 0.2, 'the step that it failed in is told, too')
  t.match(started!.phases, { construction: Number, onStart: Number, children: Number })
  t.match(formatReport(report), /^Start \(failed\): .*\nHost +inline +failed /)
})

both('a service that was not reached this time is no running one', async (t, isolation) => {
  let fails = false
  class First extends Service {
    protected override onStart(): void {
      if (fails) throw new Error('this time')
    }
  }
  const host = new Host([new First(), isolate(Started, { isolation })])
  await host.start()
  await host.stop()
  fails = true
  await t.rejects(host.start())
  t.same(
    host.startReport!.services.map(({ path, outcome, phases }) => [
      path,
      outcome,
      Object.keys(phases).length > 0,
    ]),
    [
      ['Host', 'failed', true],
      ['Host/First', 'failed', true],
      ['Host/Started', 'not-started', false],
    ],
  )
  const { services } = await host.shutdown()
  const never = services.find(({ outcome }) => outcome === 'not-started')!
  t.equal(never.isolation, isolation, 'the report of the shutdown knows where it lives')
  t.same(never.phases, { drain: 0, onStop: 0, children: 0, futures: 0, waitForShutdown: 0, onShutdown: 0 })
})
