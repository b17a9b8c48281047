import t from 'tap'
import type { Row } from '../../bench/harness.ts'
import { formatOutcome, withRun } from '../../bench/results.ts'

const row = (what: string, ratio: number, more: Partial<Row> = {}): Row => {
  const floor = { what: 'bare', value: 2 }
  return { what, unit: 'ms', value: 2 * ratio, floor, median: ratio, quartiles: [ratio, ratio], ...more }
}
const run = (machine: string, rows: Row[]): Parameters<typeof withRun>[2] => ({ machine, rows, notes: [] })

void t.test('a run writes the section of its own major version, and leaves the others', async (t) => {
  const first = withRun('', 24, run('Node 24.1.0, here', [row('start', 1.1)]))
  t.match(first, /^# Results of the benches\n[^]+\n## Node 24\n\nNode 24\.1\.0, here\.\n\n\|/)
  t.match(first, /npm run bench/, 'it says how to reproduce it')

  const both = withRun(first, 20, run('Node 20.9.0, here', [row('start', 1.2)]))
  t.ok(both.indexOf('## Node 20') < both.indexOf('## Node 24'), 'in the order of the versions')
  t.equal(both.slice(both.indexOf('## Node 24')), first.slice(first.indexOf('## Node 24')))

  const again = withRun(both, 24, run('Node 24.2.0, there', [row('stop', 1.3)]))
  t.notMatch(again, /24\.1\.0|1\.10/)
  t.match(again, /1\.20 \[1\.20…1\.20\][^]+## Node 24\n\nNode 24\.2\.0, there\.[^]+\| stop /)
  t.equal(again.match(/^# /gm)?.length, 1)
  t.equal(
    withRun(again, 24, run('Node 24.2.0, there', [row('stop', 1.3)])),
    again,
    'the same run, the same text',
  )
})

void t.test('other libraries have a table of their own, with what was left out', async (t) => {
  const peers = { rows: [row('calls: comlink', 0.3)], notes: ['Left out: one.'] }
  const document = withRun('', 20, { ...run('Node 20.9.0', [row('start', 1.1)]), peers })
  t.match(
    document,
    /\| start [^]+\n### Other libraries\n\n\|[^]+\| calls: comlink [^]+\n\nLeft out: one\.\n$/,
  )
})

void t.test('below a table stands how many of its targets were met', async (t) => {
  const met = row('start', 1.1, { target: { atMost: 1.5 } })
  const missed = row('calls', 0.5, { target: { atLeast: 0.6 } })
  t.match(formatOutcome({ rows: [met], notes: [] }), /\| ≤ 1\.5× +\| ok +\|\n\n1 of 1 targets met\.$/)
  t.match(
    formatOutcome({ rows: [met, missed, row('stop', 9)], notes: [] }),
    /SHORT[^]+\n\n1 of 2 targets met\.$/,
  )
  t.match(formatOutcome({ rows: [row('stop', 9)], notes: [] }), /\|$/, 'nothing where there are none')
})
