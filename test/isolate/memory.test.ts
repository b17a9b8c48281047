import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { isolate } from '../support/isolate.ts'
import { Calls } from '../fixtures/calls.ts'
import { Streams } from '../fixtures/streams.ts'
import { liveThreads, quiet, sleep, until } from '../support/both.ts'

quiet()
setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

async function heap(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    gc()
    await sleep(10)
  }
  return process.memoryUsage().heapUsed
}

t.test('callbacks are let go of on both sides', async (t) => {
  const handle = isolate(Calls, { resourceLimits: { maxOldGenerationSizeMb: 96 } })
  await handle.start()
  const round = async (calls: number): Promise<void> => {
    for (let i = 0; i < calls; i += 50) {
      // 20 KB each: ten thousand that stay would not fit.
      await Promise.all(Array.from({ length: 50 }, () => handle.once(withBallast())))
    }
    await handle.collect()
  }
  await round(500)
  const before = await heap()
  await round(10_000)
  let after = Infinity
  for (let i = 0; i < 20 && after - before > 20e6; i++) {
    await handle.collect()
    after = await heap()
  }
  t.ok(after - before < 20e6, `${Math.round((after - before) / 1e6)} MB more`)
  await handle.stop()
  t.equal(liveThreads(), 0)
})

function withBallast(): () => number {
  const ballast = Array.from({ length: 2500 }, (_, i) => i + 0.5)
  return () => ballast.length
}

t.test('a stream that nobody reads to its end is closed once it is forgotten', async (t) => {
  const handle = isolate(Streams)
  await handle.start()
  await (async () => {
    const stream = handle.count(5)[Symbol.asyncIterator]()
    await stream.next()
  })()
  await until(async () => {
    await heap()
    return (await handle.closed()).length > 0
  }, 'the stream to be closed')
  t.same(await handle.closed(), ['finally'])
  await handle.stop()
})

t.test('a signal is not listened to once its calls have settled', async (t) => {
  const handle = isolate(Calls)
  await handle.start()
  const controller = new AbortController()
  let added = 0
  const { addEventListener, removeEventListener } = controller.signal
  controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    added += 1
    addEventListener.apply(controller.signal, args)
  }
  controller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    added -= 1
    removeEventListener.apply(controller.signal, args)
  }
  for (let i = 0; i < 20; i++)
    await handle.with({ signal: controller.signal }).same({ signal: controller.signal })
  await handle.sameAll(controller.signal, Symbol('not cloneable')).catch(() => {})
  await handle
    .with({ timeout: 5, signal: controller.signal })
    .untilAborted(controller.signal)
    .catch(() => {})
  t.equal(added, 0)
  await handle.stop()
})
