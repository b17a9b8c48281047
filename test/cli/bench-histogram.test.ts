import fc from 'fast-check'
import t from 'tap'
import { bucketsOf, histogram } from '../../src/cli/bench-histogram.ts'

void t.test('a line for each bucket', async (t) => {
  t.same(histogram([12, 14.9, 15, 31], 40), [
    `10 to 15 ms  ${'█'.repeat(25)} 2`,
    '15 to 20 ms  ████████████▌ 1',
    '20 to 25 ms  0',
    '25 to 30 ms  0',
    '30 to 35 ms  ████████████▌ 1',
  ])
  t.same(histogram([0.3], 20), ['0.3 to 0.4 ms  ██████████ 1'], 'a bar has its least, whatever the width')
  t.same(histogram([0, 0], 200), [`0.0 to 0.1 ms  ${'█'.repeat(50)} 2`], 'and its most')
  t.same(
    histogram([2001, 2009], 60).map((line) => line.split('  ')[0]),
    ['2.000 to 2.002 s', '2.002 to 2.004 s', '2.004 to 2.006 s', '2.006 to 2.008 s', '2.008 to 2.010 s'],
    'as many digits as tell the limits apart',
  )
  t.same(histogram([], 80), [])
})

void t.test('property: a few buckets, which have all times in them, within the width', async (t) => {
  const times = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(times, fc.integer({ min: 60, max: 200 }), (times, width) => {
      const { buckets } = bucketsOf(times)
      const counted = buckets.reduce((sum, { count }) => sum + count, 0)
      const lines = histogram(times, width)
      const labels = new Set(lines.map((line) => line.slice(0, line.indexOf('s  '))))
      return (
        buckets.length <= 8 &&
        counted === times.length &&
        labels.size === lines.length &&
        lines.every((line) => line.length <= width)
      )
    }),
  )
  t.pass()
})
