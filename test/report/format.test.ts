import t from 'tap'
import { formatReport } from '../../src/report/format.ts'
import { formatMs } from '../../src/report/milliseconds.ts'
import type { ServiceReport, ShutdownReport } from '../../src/report/shutdown-report.ts'

const NO_TIME = { drain: 0, onStop: 0, children: 0, futures: 0, waitForShutdown: 0, onShutdown: 0 }

function service(path: string, more: Partial<ServiceReport> = {}): ServiceReport {
  const label = path.split('/').at(-1)!
  return { path, label, isolation: 'inline', outcome: 'clean', phases: NO_TIME, errors: [], ...more }
}

const clean: ShutdownReport = {
  reason: 'SIGTERM',
  totalMs: 400,
  withinBudget: true,
  budgetMs: 25_000,
  services: [
    service('Host', { startedAtMs: 0, totalMs: 400, phases: { ...NO_TIME, children: 399.6 } }),
    service('Host/Indexer', {
      isolation: 'thread',
      threadId: 3,
      startedAtMs: 100,
      totalMs: 300,
      phases: { ...NO_TIME, drain: 0.4, onStop: 250, futures: 3, threadExit: 31.2 },
    }),
    service('Host/Indexer/Store', {
      startedAtMs: 350,
      totalMs: 20,
      phases: { ...NO_TIME, onShutdown: 19.5 },
    }),
    service('Host/HttpApi', { startedAtMs: 0.2, totalMs: 99, phases: { ...NO_TIME, onStop: 99 } }),
    service('Host/Idle', { startedAtMs: 0.1, totalMs: 0.1 }),
  ],
}

void t.test('a clean shutdown', async (t) => {
  t.equal(
    formatReport(clean, { width: 80 }),
    `
Shutdown (SIGTERM): 5 services in 400 ms, within the budget of 25 s
Host       inline    clean  400 ms  ████████████████████████████████████████████
    children 400 ms
  Indexer  thread 3  clean  300 ms             █████████████████████████████████
      drain 0.4 ms · onStop 250 ms · futures 3 ms · threadExit 31 ms
    Store  inline    clean   20 ms                                        ███
        onShutdown 20 ms
  HttpApi  inline    clean   99 ms  ███████████
      onStop 99 ms
  Idle     inline    clean  0.1 ms  █
      no phase took 0.1 ms
`.trim(),
  )
})

const failed: ShutdownReport = {
  reason: 'crash',
  totalMs: 1200,
  withinBudget: false,
  budgetMs: 1000,
  services: [
    service('Host', {
      outcome: 'crashed',
      startedAtMs: 0,
      totalMs: 1200,
      phases: { ...NO_TIME, children: 1190 },
    }),
    service('Host/stuck', {
      outcome: 'timed-out',
      startedAtMs: 10,
      totalMs: 1190,
      phases: { ...NO_TIME, onStop: 1000, futures: 100 },
      errors: [
        {
          name: 'BulkheadError',
          code: 'ERR_STOP_TIMEOUT',
          phase: 'onStop',
          message:
            'Host/stuck did not stop within 1000 ms: onStop was still under way and has been abandoned',
        },
        { name: 'TypeError', phase: 'onShutdown', message: 'two\nlines\u001B[31m' },
      ],
    }),
    service('Host/gone', { outcome: 'crashed', startedAtMs: -5000, totalMs: 2 }),
    service('Host/never', { outcome: 'not-started' }),
  ],
}

void t.test('a shutdown with all that can go wrong', async (t) => {
  t.equal(
    formatReport(failed, { width: 90 }),
    `
Shutdown (crash): 4 services in 1.2 s, OVER the budget of 1 s
Host     inline  crashed       1.2 s  ████████████████████████████████████████████████████
    children 1.19 s
  stuck  inline  timed-out    1.19 s  ████████████████████████████████████████████████████
      onStop 1 s · futures 100 ms
      ✗ onStop: ERR_STOP_TIMEOUT: Host/stuck did not stop within 1000 ms: onStop was still
      under way and has been abandoned
      ✗ onShutdown: TypeError: two lines [31m
  gone   inline  crashed        2 ms  was down before
      no phase took 0.1 ms
  never  inline  not-started
`.trim(),
  )
})

void t.test('lines keep within the width, whatever it is', async (t) => {
  for (const width of [80, 100, 120]) {
    for (const report of [clean, failed]) {
      for (const line of formatReport(report, { width }).split('\n')) t.ok(line.length <= width, line)
    }
  }
  t.equal(formatReport(clean, { width: 1 }), formatReport(clean, { width: 60 }))
})

void t.test('colours add only escapes', async (t) => {
  const coloured = formatReport(failed, { colour: true })
  t.match(coloured, '\u001B[31m')
  // eslint-disable-next-line no-control-regex
  t.equal(coloured.replaceAll(/\u001B\[\d+m/g, ''), formatReport(failed))
})

void t.test('a report that came through JSON, without the optional fields', async (t) => {
  const services = clean.services.map((row) => ({ ...row, startedAtMs: undefined, totalMs: undefined }))
  const report = JSON.parse(JSON.stringify({ ...clean, budgetMs: undefined, services })) as ShutdownReport
  t.equal(
    formatReport(report, { width: 80 }),
    `
Shutdown (SIGTERM): 5 services in 400 ms, within the budget
Host       inline    clean
    children 400 ms
  Indexer  thread 3  clean
      drain 0.4 ms · onStop 250 ms · futures 3 ms · threadExit 31 ms
    Store  inline    clean
        onShutdown 20 ms
  HttpApi  inline    clean
      onStop 99 ms
  Idle     inline    clean
      no phase took 0.1 ms
`.trim(),
  )
})

void t.test('a label with a slash in it is a name like any other', async (t) => {
  const report = { ...clean, services: [service('a/b'), service('a/b/c/d'), service('a/b/c/d/e')] }
  t.same(
    formatReport(report)
      .split('\n')
      .filter((line) => line.includes('inline'))
      .map((line) => line.split('  inline')[0]!.trimEnd()),
    ['a/b', '  c/d', '    e'],
  )
})

void t.test('formatMs', async (t) => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [0.4, '0.4 ms'],
    [3, '3 ms'],
    [9.94, '9.9 ms'],
    [9.96, '10 ms'],
    [999, '999 ms'],
    [999.6, '1 s'],
    [1250, '1.25 s'],
    [59_990, '59.99 s'],
    [59_999, '1 min'],
    [185_000, '3 min 5 s'],
  ]
  for (const [ms, text] of cases) t.equal(formatMs(ms), text, `${ms}`)
})
