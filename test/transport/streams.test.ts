import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runClean } from '../support/clean-process.ts'

// The tests of what users see, over a transport that is none of those that ship: whatever outside of src/transport knew
// what a place is made of would fail here.

// Left out are those of what only threads of one process can: moving memory, calling past the middle, saying where they are.
const RUNS = [
  ...['calls', 'streams', 'errors'].map((file) => ({ file, streams: 'process' })),
  ...['life-cycle', 'parents', 'hook-errors', 'interruptions', 'start-report', 'steering'].map((file) => ({
    file,
    streams: 'inline',
  })),
]

for (const { file, streams } of RUNS) {
  void t.test(`test/both/${file} over a pair of streams, as ${streams}`, async (t) => {
    const path = fileURLToPath(new URL(`../both/${file}.test.js`, import.meta.url))
    const command = ['TAP=1', `BULKHEAD_TEST_STREAMS=${streams}`, process.execPath, path]
    const output = runClean('env', command, { cwd: dirname(path), mayFail: true })
    t.same(output.match(/^ *not ok .*$/gm), null, 'no failure')
    t.match(output, new RegExp(`^# conformance: [1-9]\\d* tests ran in place: ${streams}$`, 'm'))
  })
}
