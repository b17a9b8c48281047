import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { spawnClean } from '../support/clean-process.ts'

const RUNS = 200
const WITHIN = 110_000
const run = fileURLToPath(new URL('./run.js', import.meta.url))

// In processes of its own, which have to end by themselves; without the loaders of the test runner in their threads.
t.test('random trees and mishaps', async (t) => {
  const child = spawnClean(process.execPath, [run, '--runs', `${RUNS}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: WITHIN,
  })
  let out = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  for (const line of out.trimEnd().split('\n')) t.comment(line)
  t.equal(code, 0)
  const done = [...out.matchAll(/^did (\d+) runs/gm)].map(([, count]) => Number(count))
  t.equal(
    done.reduce((sum, count) => sum + count, 0),
    RUNS,
  )
})
