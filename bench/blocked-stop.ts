// By how much does a Host overrun its budget when one of its threads is stuck in a loop, and how does it end?
//   node --import tsx bench/blocked-stop.ts
import { Host, isolate } from '../src/index.ts'
import { Blocked, Good } from './fixtures/blocked.ts'

const BUDGET = 1000
const ROUNDS = 5

const overruns: number[] = []
let told = ''
for (let round = 0; round < ROUNDS; round++) {
  const blocked = isolate(Blocked, { hangWarning: false })
  const good = ['A', 'B', 'C'].map((label) => isolate(Good, { label }))
  const host = new Host([...good, blocked], { stopTimeout: BUDGET, logger: { level: 'silent' } })
  const run = host.run()
  await new Promise<void>((resolve) => {
    const unsubscribe = host.onChange(({ state }) => {
      if (state !== 'running') return
      unsubscribe()
      resolve()
    })
  })
  await new Promise<void>((resolve) => {
    blocked.loop(resolve).catch(() => {})
  })
  const from = performance.now()
  const report = await host.shutdown()
  overruns.push(performance.now() - from - BUDGET)
  await run
  told = report.services.flatMap(({ errors }) => errors.map(({ message }) => message)).join('\n')
  const outcomes = report.services.map(({ label, outcome }) => `${label} ${outcome}`).join(', ')
  if (round === 0) console.log(`${outcomes}; exit code ${process.exitCode}`)
}
overruns.sort((a, b) => a - b)
console.log(
  `Budget ${BUDGET} ms, overrun by ${overruns[Math.floor(ROUNDS / 2)]?.toFixed(0)} ms ` +
    `(median of ${ROUNDS}; ${overruns[0]?.toFixed(0)} to ${overruns.at(-1)?.toFixed(0)})`,
)
console.log(told)
// The exit code told is the Host's; this bench has done what it was to do.
process.exitCode = told.includes('loop') && (overruns.at(-1) ?? Infinity) < 500 ? 0 : 1
