import t from 'tap'
import type { BenchRun } from '../../src/cli/bench-run.ts'
import { overLimit } from '../../src/cli/bench.ts'
import { formatBench, formatTable } from '../../src/cli/bench-format.ts'
import { parseResult, percentiles, summarize } from '../../src/cli/bench-result.ts'
import type { ServiceReport } from '../../src/report/shutdown-report.ts'
import type { StartServiceReport } from '../../src/report/start-report.ts'

const NO_TIME = { drain: 0, onStop: 0, children: 0, futures: 0, waitForShutdown: 0, onShutdown: 0 }

function started(path: string, totalMs: number, phases: StartServiceReport['phases']): StartServiceReport {
  return { path, label: path, isolation: 'inline', outcome: 'running', phases, startedAtMs: 0, totalMs }
}

function bench(startMs: number, stopMs: number): BenchRun {
  const service = (path: string, more: Partial<ServiceReport> = {}): ServiceReport => {
    return { path, label: path, isolation: 'inline', outcome: 'clean', phases: NO_TIME, errors: [], ...more }
  }
  return {
    start: {
      outcome: 'running',
      totalMs: startMs,
      services: [started('Host', startMs, { children: startMs }), started('Host/a', startMs / 2, {})],
    },
    report: {
      reason: 'stop',
      totalMs: stopMs,
      withinBudget: true,
      services: [
        service('Host', { startedAtMs: 0, totalMs: stopMs, phases: { ...NO_TIME, children: stopMs } }),
        service('Host/a', {
          startedAtMs: 0,
          totalMs: stopMs / 2,
          phases: { ...NO_TIME, onStop: stopMs / 2 },
        }),
      ],
    },
  }
}

void t.test('percentiles are times that were measured', async (t) => {
  t.same(percentiles([3]), { p50: 3, p90: 3, p99: 3 })
  t.same(percentiles([4, 1, 3, 2]), { p50: 2, p90: 4, p99: 4 })
  t.same(percentiles(Array.from({ length: 100 }, (_, index) => index + 1)), { p50: 50, p90: 90, p99: 99 })
})

void t.test('a table of services and the phases that took time', async (t) => {
  const result = summarize([bench(100, 4), bench(120, 6), bench(110, 2000)])
  t.match(result, { runs: 3, start: { p50: 110, p90: 120 }, shutdown: { p50: 6, p90: 2000 } })
  t.equal(
    formatTable(result, 'app.ts'),
    `
app.ts: 3 runs
                              p50     p90     p99
whole app  start           110 ms  120 ms  120 ms
           shutdown          6 ms     2 s     2 s
Host       start           110 ms  120 ms  120 ms
           start.children  110 ms  120 ms  120 ms
           children          6 ms     2 s     2 s
           stop              6 ms     2 s     2 s
Host/a     start            55 ms   60 ms   60 ms
           onStop            3 ms     1 s     1 s
           stop              3 ms     1 s     1 s`.trim(),
  )
})

void t.test('the totals of each run, and what the shutdown of the median one waited for', async (t) => {
  const result = summarize([bench(100, 4), bench(120.1, 6), bench(110, 2000)])
  t.same(result.samples, { start: [100, 120.1, 110], shutdown: [4, 6, 2000] })
  t.same(result.services[1]?.samples, { stop: [2, 3, 1000] })
  t.equal(result.medianRun, 2)
  t.same(result.criticalPath, [
    { path: 'Host/a', phase: 'onStop', startMs: 0, ms: 3 },
    { path: 'Host', phase: 'other', startMs: 3, ms: 3 },
  ])
  t.same(parseResult(JSON.stringify(result)), result, 'as it is read again')
})

void t.test('the whole text', async (t) => {
  const runs = [bench(100, 4), bench(120, 4), bench(110, 8)]
  const [, ...rest] = formatBench(summarize(runs), 'app.ts', 40).split('\n\n')
  t.equal(
    rest.join('\n\n'),
    `
Start, runs
  100 to 105 ms  █████████████████████ 1
  105 to 110 ms  0
  110 to 115 ms  █████████████████████ 1
  115 to 120 ms  0
  120 to 125 ms  █████████████████████ 1

Shutdown, runs
  4 to 5 ms  █████████████████████████ 2
  5 to 6 ms  0
  6 to 7 ms  0
  7 to 8 ms  0
  8 to 9 ms  ████████████▌ 1

What the shutdown waited for (run 1 of 3, the median: 4 ms)
  Host/a  onStop  2 ms  50 %
  Host    other   2 ms  50 %`.trim(),
  )
  t.notMatch(formatBench(summarize([bench(1, 0)]), 'app.ts', 80), '█', 'one run')
})

void t.test('short waits are told together', async (t) => {
  const run = bench(1, 2)
  const phases = { ...NO_TIME, drain: 1, onStop: 995, futures: 4 }
  const row = { ...run.report.services[0]!, startedAtMs: 0, totalMs: 1000, phases }
  const report = { ...run.report, totalMs: 1000, services: [row] }
  t.match(
    formatBench(summarize([{ ...run, report }]), 'app.ts', 80),
    /\n {2}Host +onStop +995 ms +100 %\n {2}2 shorter +5 ms +1 %$/,
  )
})

void t.test('what is no result of an earlier bench', async (t) => {
  const result = summarize([bench(100, 4)])
  const none = [
    '',
    'text',
    'null',
    '[]',
    '{}',
    JSON.stringify({ ...result, samples: undefined }),
    JSON.stringify({ ...result, samples: { start: [], shutdown: [] } }),
    JSON.stringify({ ...result, samples: { start: ['1'], shutdown: [1] } }),
    JSON.stringify({ ...result, services: [null] }),
    JSON.stringify({ ...result, services: {} }),
  ]
  for (const text of none) t.equal(parseResult(text), undefined, text)
})

void t.test('a limit for the p99 of the shutdown', async (t) => {
  const { shutdown } = summarize([bench(1, 4), bench(1, 1004)])
  t.equal(overLimit({ shutdown }, '2s'), undefined)
  t.equal(overLimit({ shutdown }, '1004ms'), undefined)
  t.equal(
    overLimit({ shutdown }, '1s'),
    'the p99 of the shutdown is 1004 ms, longer than the 1s of --fail-over',
  )
})
