import fc from 'fast-check'
import t from 'tap'
import { Backoff, backoffDelay, backoffPolicy } from '../../src/supervisor/backoff.ts'

const policies = fc.record({
  initial: fc.nat(10_000),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  max: fc.nat(100_000),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
})
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

t.test('a wait is never negative, never above max, never off by more than the jitter', async () => {
  fc.assert(
    fc.property(policies, fc.nat(5000), randoms, (policy, attempt, random) => {
      const delay = backoffDelay(policy, attempt, () => random)
      const exact =
        attempt === 0 ? 0 : Math.min(policy.initial * policy.factor ** (attempt - 1) || 0, policy.max)
      const off = Math.abs(delay - exact)
      return Number.isFinite(delay) && delay >= 0 && delay <= policy.max && off <= exact * policy.jitter + 0.5
    }),
    { numRuns: 2000 },
  )
})

t.test('without jitter no wait is shorter than the one before', async () => {
  fc.assert(
    fc.property(policies, fc.nat(200), (policy, attempt) => {
      const at = (n: number): number => backoffDelay({ ...policy, jitter: 0 }, n, Math.random)
      return at(attempt + 1) >= at(attempt)
    }),
  )
})

t.test('the first is immediate, then 100 ms doubling to 5 s', async (t) => {
  const delays = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => backoffDelay(backoffPolicy(), n, () => 0.5))
  t.same(delays, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
  t.equal(
    backoffDelay(backoffPolicy(), 1, () => 0),
    80,
    'a jitter of 0.2',
  )
  t.equal(
    backoffDelay(backoffPolicy(), 1, () => 0.9999999),
    120,
  )
})

t.test('false means no wait at all', async (t) => {
  t.equal(backoffDelay(backoffPolicy(false), 7, Math.random), 0)
})

t.test('back to immediate after the quiet time, counted from the last crash', async (t) => {
  let now = 0
  const backoff = new Backoff(backoffPolicy({ jitter: 0 }), { quiet: 1000, now: () => now, random: () => 0 })
  t.equal(backoff.next(), 0)
  now = 999
  t.equal(backoff.next(), 100)
  now = 1998
  t.equal(backoff.next(), 200, 'a crash begins the quiet time anew')
  now = 2998
  t.equal(backoff.next(), 0)
})

t.test('refuses what makes no sense', async (t) => {
  t.throws(() => backoffPolicy({ factor: 0.5 }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => backoffPolicy({ factor: NaN }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => backoffPolicy({ jitter: 2 }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => backoffPolicy({ initial: 'soon' }), { code: 'ERR_INVALID_DURATION' })
})
