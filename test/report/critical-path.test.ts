import fc from 'fast-check'
import t from 'tap'
import { criticalPath, longestOf } from '../../src/report/critical-path.ts'
import type { ServiceReport, ShutdownReport } from '../../src/report/shutdown-report.ts'
import { NO_TIME, reportOf, stopped } from './reports.ts'

/** `path phase start+ms`, a line each. */
function told(report: ShutdownReport): string[] {
  return criticalPath(report).map(
    ({ path, phase, startMs, ms }) => `${path.replace(/^Host\//, '')} ${phase} ${startMs}+${ms}`,
  )
}

void t.test('children that stop one after another', async (t) => {
  const report = reportOf(100, [
    stopped('Host', 0, { children: 95, onShutdown: 5 }),
    stopped('Host/a', 60, { onStop: 5, children: 20, futures: 10 }),
    stopped('Host/a/inner', 65, { drain: 15, onShutdown: 5 }),
    stopped('Host/b', 0, { onStop: 60 }),
  ])
  t.same(told(report), [
    'b onStop 0+60',
    'a onStop 60+5',
    'a/inner drain 65+15',
    'a/inner onShutdown 80+5',
    'a futures 85+10',
    'Host onShutdown 95+5',
  ])
  t.same(longestOf(criticalPath(report))[0], { path: 'Host/b', phase: 'onStop', ms: 60 })
})

void t.test('beginnings are known to the millisecond only', async (t) => {
  const report = reportOf(13.9, [
    stopped('Host', 0, { children: 13.2 }, { totalMs: 13.6 }),
    stopped('Host/Indexer', 2, { drain: 0.3, futures: 0.1, threadExit: 8.7 }, { totalMs: 11.5 }),
    stopped('Host/Api', 1, { onStop: 0.4 }),
    stopped('Host/Progress', 1, { futures: 0.5 }),
  ])
  t.same(told(report), [
    'Host other 0+0.8',
    'Progress futures 0.8+0.5',
    'Api onStop 1.3+0.4',
    'Indexer drain 1.7+0.3',
    'Indexer futures 2+0.1',
    'Indexer other 2.1+2.4',
    'Indexer threadExit 4.5+8.7',
    'Host other 13.2+0.7',
  ])
})

void t.test('a thread that goes while the next service stops', async (t) => {
  const exit = { onStop: 60, threadExit: 40 }
  const waited = [
    stopped('Host', 0, { children: 100 }),
    stopped('Host/b', 60, { onStop: 30 }),
    stopped('Host/a', 0, exit, { isolation: 'thread' }),
  ]
  t.same(told(reportOf(100, waited)), ['a onStop 0+60', 'a threadExit 60+40'], 'the exit was waited for')
  const notWaited = [
    stopped('Host', 0, { children: 150 }),
    stopped('Host/b', 60, { onStop: 90 }),
    stopped('Host/a', 0, exit, { isolation: 'thread' }),
  ]
  t.same(told(reportOf(150, notWaited)), ['a onStop 0+60', 'b onStop 60+90'], 'it was not')
})

void t.test('children that stop at once: the last to end was waited for', async (t) => {
  const report = reportOf(100, [
    stopped('Host', 0, { children: 100 }),
    stopped('Host/a', 0, { onStop: 90 }),
    stopped('Host/b', 0, { onStop: 100 }),
    stopped('Host/c', 0, { onStop: 50 }),
  ])
  t.same(told(report), ['b onStop 0+100'])
})

void t.test('what no phase explains', async (t) => {
  const report = reportOf(100, [
    stopped('Host', 0, { children: 60 }, { totalMs: 100 }),
    stopped('Host/a', 20, { onStop: 10 }, { totalMs: 30 }),
    stopped('Host/b', 60, { onStop: 5 }, { totalMs: 20 }),
  ])
  t.same(told(report), [
    'Host other 0+20',
    'a onStop 20+10',
    'a other 30+20',
    'Host other 50+10',
    'b onStop 60+5',
    'b other 65+15',
    'Host other 80+20',
  ])
})

void t.test('what was down before is not in it, but what was up below that is', async (t) => {
  const report = reportOf(50, [
    stopped('Host', 0, { children: 50 }),
    stopped('Host/gone', -500, { onStop: 20 }),
    stopped('Host/gone/left', 0, { onStop: 50 }),
    { ...stopped('Host/never', 0), outcome: 'not-started', startedAtMs: undefined, totalMs: undefined },
  ])
  t.same(told(report), ['gone/left onStop 0+50'])
})

void t.test('reports that tell little', async (t) => {
  t.same(criticalPath(reportOf(100, [])), [])
  t.same(criticalPath(reportOf(0, [stopped('Host', 0)])), [])
  const bare = { ...stopped('Host', 0), startedAtMs: undefined, totalMs: undefined }
  t.same(told(reportOf(100, [bare])), ['Host other 0+100'])
})

void t.test('as deep as can be', async (t) => {
  const paths = Array.from({ length: 2000 }, (_, depth) => `Host${'/x'.repeat(depth)}`)
  const last = paths.length - 1
  const services = paths.map((path, depth) =>
    stopped(path, 0, depth === last ? { onStop: 9 } : { children: 9 }),
  )
  t.same(criticalPath(reportOf(9, services)), [{ path: paths[last], phase: 'onStop', startMs: 0, ms: 9 }])
})

interface Tree {
  readonly own: readonly number[]
  readonly children: readonly Tree[]
  /** How much sooner than its end the next one begins. */
  readonly early: number
  readonly late: number
}

const someMs = fc.oneof(fc.constant(0), fc.nat(5).map(Number), fc.double({ min: 0, max: 300, noNaN: true }))
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    own: fc.array(someMs, { minLength: 5, maxLength: 5 }),
    children: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant([]),
      fc.array(tie('tree'), { maxLength: 4 }),
    ),
    early: someMs,
    late: someMs,
  }),
}))

const round = (ms: number): number => Math.round(ms * 10) / 10

/** As a Host would report it: whole milliseconds for beginnings, tenths for lengths. */
function rowsFor(tree: Tree, path: string, from: number): { rows: ServiceReport[]; to: number } {
  const [drain, onStop, futures, onShutdown, other] = tree.own as [number, number, number, number, number]
  const began = from + drain + onStop
  let at = began
  let end = began
  const below = tree.children
    .toReversed()
    .map((child, index) => {
      const { rows, to } = rowsFor(child, `${path}/${index}`, at + child.late)
      at = Math.max(to - child.early, at)
      end = Math.max(end, to)
      return rows
    })
    .toReversed()
  const children = end - began
  const to = end + futures + other + onShutdown
  const row = stopped(path, Math.floor(from), {
    drain: round(drain),
    onStop: round(onStop),
    children: round(children),
    futures: round(futures),
    onShutdown: round(onShutdown),
  })
  return { rows: [{ ...row, totalMs: round(to - from) }, ...below.flat()], to }
}

function check(report: ShutdownReport): void {
  const path = criticalPath(report)
  const paths = new Set(report.services.map((service) => service.path))
  let end = 0
  for (const { path: service, phase, startMs, ms } of path) {
    if (!paths.has(service)) throw new Error(`an unknown path: ${service}`)
    if (!(ms > 0) || startMs < end - 0.01)
      throw new Error(`${service} ${phase} ${startMs}+${ms} after ${end}`)
    end = startMs + ms
  }
  const sum = path.reduce((total, { ms }) => total + ms, 0)
  if (path.length > 0 && Math.abs(sum - report.totalMs) > 0.1 + path.length * 1e-9)
    throw new Error(`${sum} of ${report.totalMs}`)
}

void t.test('property: in order, without overlap, as long as the whole, of known services', async (t) => {
  fc.assert(
    fc.property(tree, someMs, (tree, after) => {
      const { rows, to } = rowsFor(tree, 'Host', 0)
      check(reportOf(Math.round((to + after) * 10) / 10, rows))
    }),
    { numRuns: 500 },
  )
  t.pass()
})

void t.test('property: also for times that no shutdown can have', async (t) => {
  const ms = fc.oneof(
    fc.double({ min: -1000, max: 1000 }),
    fc.nat(20).map((n) => n / 2),
    fc.constantFrom(NaN, Infinity, -0, undefined),
  )
  const row = fc.record({
    path: fc
      .array(fc.constantFrom('a', 'b', 'c/d'), { maxLength: 4 })
      .map((names) => ['Host', ...names].join('/')),
    startedAtMs: ms,
    totalMs: ms,
    phases: fc.dictionary(fc.constantFrom(...Object.keys(NO_TIME), 'threadExit'), ms),
  })
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 8 }),
      fc.double({ min: 0, max: 1000, noNaN: true }),
      (rows, whole) => {
        const services = rows.map((row) => ({ ...stopped(row.path, 0), ...row }) as ServiceReport)
        check(reportOf(whole, services))
      },
    ),
    { numRuns: 1000 },
  )
  t.pass()
})
