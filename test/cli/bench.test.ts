import t from 'tap'
import type { BenchRun } from '../../src/cli/bench-run.ts'
import { formatBench, percentiles, summarize } from '../../src/cli/bench.ts'
import type { ServiceReport } from '../../src/host/report.ts'

const NO_TIME = { drain: 0, onStop: 0, children: 0, futures: 0, waitForShutdown: 0, onShutdown: 0 }

function bench(startMs: number, stopMs: number): BenchRun {
  const service = (path: string, more: Partial<ServiceReport> = {}): ServiceReport => {
    return { path, label: path, isolation: 'inline', outcome: 'clean', phases: NO_TIME, errors: [], ...more }
  }
  return {
    startMs,
    starts: { Host: startMs, 'Host/a': startMs / 2 },
    report: {
      reason: 'stop',
      totalMs: stopMs,
      withinBudget: true,
      services: [
        service('Host', { totalMs: stopMs, phases: { ...NO_TIME, children: stopMs } }),
        service('Host/a', { totalMs: stopMs / 2, phases: { ...NO_TIME, onStop: stopMs / 2 } }),
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
    formatBench(result, 'app.ts'),
    `
app.ts: 3 runs
                        p50     p90     p99
whole app  start     110 ms  120 ms  120 ms
           shutdown    6 ms     2 s     2 s
Host       start     110 ms  120 ms  120 ms
           children    6 ms     2 s     2 s
           stop        6 ms     2 s     2 s
Host/a     start      55 ms   60 ms   60 ms
           onStop      3 ms     1 s     1 s
           stop        3 ms     1 s     1 s`.trim(),
  )
})
