import t from 'tap'
import { compareResults, compareSamples, formatComparison, mannWhitney } from '../../src/cli/bench-compare.ts'
import type { BenchResult } from '../../src/cli/bench-result.ts'

const from = (first: number, count: number, step = 1): number[] =>
  Array.from({ length: count }, (_, index) => first + index * step)

void t.test('the Mann-Whitney U test', async (t) => {
  // The example of scipy.stats.mannwhitneyu, by its asymptotic method.
  const p = mannWhitney([19, 22, 16, 29, 24], [20, 11, 17, 12])
  t.ok(Math.abs(p - 0.11134688653314041) < 1e-6, `${p}`)
  t.equal(mannWhitney([20, 11, 17, 12], [19, 22, 16, 29, 24]), p, 'either way')
  t.equal(mannWhitney([1, 1, 1], [1, 1, 1]), 1, 'nothing but ties')
  t.equal(mannWhitney([], [1]), 1)
  t.ok(mannWhitney(from(0, 10), from(10, 10)) < 0.001, 'far apart')
  t.ok(mannWhitney(from(0, 10, 2), from(1, 10, 2)) > 0.5, 'interleaved')
  const tied = mannWhitney([1, 2, 2, 3], [2, 3, 3, 4])
  t.ok(tied > 0.1 && tied < 0.3, `${tied}`)
})

const verdict = (before: number[], now: number[]): string => compareSamples(before, now).verdict

void t.test('a verdict only beyond the noise', async (t) => {
  t.equal(verdict(from(100, 10), from(50, 10)), 'faster')
  t.equal(verdict(from(100, 10), from(150, 10)), 'slower')
  t.equal(verdict(from(100, 10, 10), from(105, 10, 10)), 'no difference beyond the noise')
  t.equal(verdict([100, 100, 100], [1, 1, 1]), 'no difference beyond the noise', 'too few to tell')
  t.equal(
    verdict(from(1, 50, 0.0001), from(1.02, 50, 0.0001)),
    'no difference beyond the noise',
    'less than is measured',
  )
  const outlier = [...from(100, 19, 0.1), 100_000]
  t.equal(verdict(from(100, 20, 0.1), outlier), 'no difference beyond the noise', 'one far out')
})

function result(start: number[], shutdown: number[], services: Record<string, number[]>): BenchResult {
  const none = { p50: 0, p90: 0, p99: 0 }
  return {
    ...{ runs: start.length, start: none, shutdown: none, medianRun: 1, criticalPath: [] },
    samples: { start, shutdown },
    services: Object.entries(services).map(([path, stop]) => ({ path, phases: {}, samples: { stop } })),
  }
}

void t.test('start, shutdown and the stop of each service that both have', async (t) => {
  const before = result(from(100, 10), from(10, 10), { Host: from(10, 10), 'Host/a': from(5, 10), gone: [1] })
  const now = result(from(100, 10), from(30, 10), { Host: from(30, 10), 'Host/a': from(0, 10), new: [1] })
  const comparison = compareResults(before, now)
  t.equal(
    formatComparison(comparison, 'old.json'),
    `
Compared with old.json (10 runs before, 10 now; medians, Mann-Whitney U, p < 0.01)
                     before     now  change
whole app  start     104 ms  104 ms     0 %  no difference beyond the noise
           shutdown   14 ms   34 ms  +143 %  slower
Host       stop       14 ms   34 ms  +143 %  slower
Host/a     stop        9 ms    4 ms   -56 %  faster`.trim(),
  )
  t.equal(comparison.changes.length, 4)
})

/** Nothing has changed. */
function comparedAfter(runs: number): string {
  const some = result(from(1, runs), from(1, runs), {})
  return formatComparison(compareResults(some, some), 'x')
}

void t.test('so few runs that nothing can be told are told to be', async (t) => {
  t.match(comparedAfter(5), /\nSo few runs cannot tell .*: --runs 6 is the least, for both\.$/)
  t.notMatch(comparedAfter(6), 'So few')
})
