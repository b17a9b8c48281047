import t from 'tap'
import {
  beat,
  isNotedAsInspected,
  makeHeartbeat,
  type Heartbeat,
  watchHeartbeat,
} from '../../src/transport/heartbeat.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { until } from '../support/both.ts'

const LIMITS = { warning: 1000, timeout: 3000 }

/** What a look by a blocked or suspended watcher finds: much time has passed since the last one. */
class SuspendableClock extends FakeClock {
  #lost = 0
  override now(): number {
    return super.now() + this.#lost
  }
  /** Time passes and nothing runs: timers come that much later. */
  suspend(ms: number): void {
    this.#lost += ms
  }
}

class Watched {
  readonly clock = new SuspendableClock()
  readonly events: string[] = []
  readonly heartbeat: Heartbeat
  readonly stop: () => void
  inspected = false

  constructor(limits = LIMITS) {
    this.heartbeat = makeHeartbeat(limits)!
    this.stop = watchHeartbeat(this.heartbeat, limits, this.clock, {
      warn: (silentFor) => this.events.push(`warn ${silentFor}`),
      hung: (silentFor) => this.events.push(`hung ${silentFor}`),
      inspected: () => this.inspected,
    })
  }

  /** One sign of life. */
  beat(): void {
    Atomics.add(new Int32Array(this.heartbeat.counter), 0, 1)
  }

  /** `ms` pass, with a sign of life in each interval. */
  async live(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= this.heartbeat.every) {
      this.beat()
      await this.clock.advance(this.heartbeat.every)
    }
  }
}

void t.test('nothing is watched without a limit; else a thread counts four times within the shorter', (t) => {
  t.equal(makeHeartbeat({ warning: Infinity, timeout: Infinity }), undefined)
  t.equal(makeHeartbeat({ warning: 400, timeout: Infinity })?.every, 100)
  t.equal(makeHeartbeat({ warning: Infinity, timeout: 200 })?.every, 50)
  t.equal(makeHeartbeat({ warning: 1, timeout: 2 })?.every, 10, 'not faster than that')
  t.equal(makeHeartbeat({ warning: 60_000, timeout: Infinity })?.every, 1000, 'nor slower than that')
  t.end()
})

void t.test('a living thread is left alone', async (t) => {
  const watched = new Watched()
  await watched.live(60_000)
  t.same(watched.events, [])
  watched.stop()
  t.equal(watched.clock.pending, 0)
})

void t.test('it warns once, then tells of the hang once, and looks no more', async (t) => {
  const watched = new Watched()
  await watched.clock.advance(999)
  t.same(watched.events, [])
  await watched.clock.advance(1)
  t.same(watched.events, ['warn 1000'])
  await watched.clock.advance(60_000)
  t.same(watched.events, ['warn 1000', 'hung 3000'])
  t.equal(watched.clock.pending, 0)
})

void t.test('a sign of life begins anew: one warning for each time it stands still', async (t) => {
  const watched = new Watched()
  await watched.clock.advance(2700)
  await watched.live(250)
  await watched.clock.advance(2700)
  t.same(watched.events, ['warn 1000', 'warn 1000'])
  watched.stop()
})

void t.test('without a timeout it warns, and never ends anything', async (t) => {
  const watched = new Watched({ warning: 1000, timeout: Infinity })
  await watched.clock.advance(1_000_000)
  t.same(watched.events, ['warn 1000'])
  watched.stop()
})

void t.test('what passes while the watcher itself is held up does not count', async (t) => {
  const watched = new Watched()
  await watched.live(1000)
  watched.clock.suspend(60_000)
  // All that this one look may count is two intervals: the thread did not move, but nobody was there to see it.
  await watched.clock.advance(250)
  t.same(watched.events, [])
  watched.beat()
  await watched.clock.advance(250)
  for (let times = 0; times < 5; times++) {
    watched.clock.suspend(10_000)
    await watched.live(250)
  }
  t.same(watched.events, [], 'suspended again and again')
  await watched.clock.advance(1000)
  t.equal(watched.events.length, 1, 'it sees again')
  watched.stop()
})

void t.test('while an inspector is open nothing counts; afterwards it counts from zero', async (t) => {
  const watched = new Watched()
  watched.inspected = true
  await watched.clock.advance(60_000)
  t.same(watched.events, [])
  t.ok(isNotedAsInspected(watched.heartbeat), 'and the watched thread can tell its own')
  watched.inspected = false
  await watched.clock.advance(999)
  t.same(watched.events, [])
  await watched.clock.advance(251)
  t.same(watched.events, ['warn 1000'])
  t.notOk(isNotedAsInspected(watched.heartbeat))
  watched.stop()
})

void t.test('an inspector that is opened during a hang saves the thread', async (t) => {
  const watched = new Watched()
  await watched.clock.advance(2750)
  watched.inspected = true
  await watched.clock.advance(60_000)
  t.same(watched.events, ['warn 1000'])
  watched.stop()
})

void t.test('the watched side counts as its event loop turns, and may be the one that notes', async (t) => {
  const heartbeat = makeHeartbeat({ warning: 40, timeout: Infinity })!
  let inspected = true
  const stop = beat(heartbeat, () => inspected)
  const count = (): number => Atomics.load(new Int32Array(heartbeat.counter), 0)
  t.ok(isNotedAsInspected(heartbeat), 'at once')
  const before = count()
  await until(() => count() > before + 2)
  inspected = false
  await until(() => !isNotedAsInspected(heartbeat))
  stop()
})
