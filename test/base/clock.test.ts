import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { nextTurn, systemClock } from '../../src/base/clock.ts'

const LONGEST_TIMEOUT = 2 ** 31 - 1

interface FakeTimer {
  callback: () => void
  delay: number
  cleared: boolean
  unrefs: number
}

/** Runs `test` with timers that never fire by themselves and a monotonic clock that is set by hand. */
function withFakeTimers(test: (timers: FakeTimer[], setTime: (ms: number) => void) => void): void {
  const original = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
  }
  const timers: FakeTimer[] = []
  let now = 1000.25
  const { hrtime } = process
  process.hrtime = (() => [Math.trunc(now / 1000), Math.round((now % 1000) * 1e6)]) as never
  globalThis.setTimeout = ((callback: () => void, delay: number) => {
    const timer: FakeTimer = { callback, delay, cleared: false, unrefs: 0 }
    timers.push(timer)
    return Object.assign(timer, { unref: () => timer.unrefs++ })
  }) as never
  globalThis.clearTimeout = ((timer: FakeTimer | undefined) => {
    if (timer !== undefined) timer.cleared = true
  }) as never
  try {
    test(timers, (ms) => {
      now = 1000.25 + ms
    })
  } finally {
    Object.assign(globalThis, original)
    process.hrtime = hrtime
  }
}

void t.test('a delay past 2^31 ms is made of several timers', async (t) => {
  withFakeTimers((timers, setTime) => {
    let calls = 0
    const total = 2 ** 32 + 5
    systemClock.after(total, () => calls++)
    t.equal(timers[0]?.delay, LONGEST_TIMEOUT)
    setTime(LONGEST_TIMEOUT)
    timers[0]?.callback()
    t.equal(calls, 0)
    t.equal(timers[1]?.delay, LONGEST_TIMEOUT)
    setTime(2 * LONGEST_TIMEOUT)
    timers[1]?.callback()
    t.equal(calls, 0)
    t.equal(timers[2]?.delay, total - 2 * LONGEST_TIMEOUT)
    setTime(total)
    timers[2]?.callback()
    t.equal(calls, 1)
    t.equal(timers.length, 3)
  })
})

void t.test('a timer that fires early is armed again', async (t) => {
  withFakeTimers((timers, setTime) => {
    let calls = 0
    systemClock.after(10.5, () => calls++)
    t.equal(timers[0]?.delay, 11)
    setTime(10.4)
    timers[0]?.callback()
    t.equal(calls, 0)
    t.equal(timers[1]?.delay, 1)
    setTime(11.4)
    timers[1]?.callback()
    t.equal(calls, 1)
  })
})

void t.test('cancelling reaches the timer that is armed now', async (t) => {
  withFakeTimers((timers, setTime) => {
    const cancel = systemClock.after(2 ** 32, () => t.fail('fired'), { unref: true })
    setTime(LONGEST_TIMEOUT)
    timers[0]?.callback()
    cancel()
    cancel()
    t.equal(timers[1]?.cleared, true)
    t.strictSame(
      timers.map((timer) => timer.unrefs),
      [1, 1],
      'each of them is unref’d',
    )
  })
})

void t.test('Infinity arms nothing', async (t) => {
  withFakeTimers((timers) => {
    systemClock.after(Infinity, () => t.fail('fired'))()
    t.equal(timers.length, 0)
  })
})

void t.test('nothing and less than nothing fire in a later turn', async (t) => {
  withFakeTimers((timers) => {
    systemClock.after(0, () => t.fail('fired in the same turn'))
    systemClock.after(-5, () => t.fail('fired in the same turn'))
    t.strictSame(
      timers.map((timer) => timer.delay),
      [0, 0],
    )
  })
})

void t.test('real timers: 2^31 ms does not fire at once, and can be cancelled', async (t) => {
  const cancel = systemClock.after(2 ** 31, () => t.fail('fired'))
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  await new Promise((resolve) => setTimeout(resolve, 20))
  cancel()
})

void t.test('real timers: never early', async (t) => {
  for (const ms of [0, 0.4, 1, 1.5, 2.9, 7.3]) {
    const began = systemClock.now()
    await new Promise<void>((resolve) => void systemClock.after(ms, resolve))
    t.ok(systemClock.now() - began >= ms, `${ms} ms`)
  }
})

void t.test('the two times', async (t) => {
  const first = systemClock.now()
  t.ok(systemClock.now() >= first)
  const before = Date.now()
  const wallTime = systemClock.wallTime()
  t.ok(wallTime >= before && wallTime <= Date.now())
})

void t.test('nextTurn lets timers that are due run first', async (t) => {
  let fired = false
  setTimeout(() => (fired = true), 0)
  const until = performance.now() + 3
  while (performance.now() < until);
  await nextTurn()
  await nextTurn()
  t.ok(fired)
})

void t.test('only what is not unref’d keeps a process alive', async (t) => {
  const clock = new URL('../../src/base/clock.ts', import.meta.url).href
  const run = async (code: string): Promise<string> => {
    const args = [
      '--import=tsx',
      '--input-type=module',
      '-e',
      `import { systemClock } from '${clock}'\n${code}`,
    ]
    return (await promisify(execFile)(process.execPath, args)).stdout
  }
  t.equal(await run(`systemClock.after(30000, () => console.log('fired'), { unref: true })`), '')
  t.equal(await run(`systemClock.after(5, () => console.log('fired'))`), 'fired\n')
  t.equal(await run(`systemClock.after(30000, () => console.log('fired'))()`), '')
})
