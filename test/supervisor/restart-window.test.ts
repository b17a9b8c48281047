import fc from 'fast-check'
import t from 'tap'
import { RestartWindow } from '../../src/supervisor/restart-window.ts'

t.test('never more than maxRestarts in any span of time, and never fewer than could be', async () => {
  const history = fc.record({
    max: fc.nat(5),
    over: fc.integer({ min: 1, max: 50 }),
    pauses: fc.array(fc.nat(30), { maxLength: 60 }),
  })
  fc.assert(
    fc.property(history, ({ max, over, pauses }) => {
      let now = 0
      const window = new RestartWindow(max, over, () => now)
      const spentAt: number[] = []
      for (const pause of pauses) {
        now += pause
        const counting = spentAt.filter((at) => now - at < over).length
        if (window.spent !== counting) return false
        if (window.spend() !== counting < max) return false
        if (counting < max) spentAt.push(now)
      }
      return spentAt.every((from) => spentAt.filter((at) => at >= from && at - from < over).length <= max)
    }),
    { numRuns: 500 },
  )
})

t.test('a restart is free again exactly when `over` has passed', async (t) => {
  let now = 0
  const window = new RestartWindow(1, 100, () => now)
  t.equal(window.spend(), true)
  now = 99.9
  t.equal(window.spend(), false)
  now = 100
  t.equal(window.spend(), true)
})

t.test('no limits', async (t) => {
  let now = 0
  const endless = new RestartWindow(Infinity, 10, () => now)
  for (let n = 0; n < 1000; n++) if (!endless.spend()) t.fail('refused')
  const forLife = new RestartWindow(2, Infinity, () => now)
  t.ok(forLife.spend() && forLife.spend())
  now = 1e15
  t.equal(forLife.spend(), false, 'a window without end forgets nothing')
})
