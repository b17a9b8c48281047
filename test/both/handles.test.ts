import { isolate } from '../support/isolate.ts'
import { Collected } from '../fixtures/collected.ts'
import { Echo } from '../fixtures/echo.ts'
import { Relay } from '../fixtures/relay.ts'
import { both, failure, quiet, until } from '../support/both.ts'

quiet()

both('a handle in an argument becomes a direct handle over there', async (t, isolation) => {
  const echo = isolate(Echo, { args: ['hi'], isolation })
  const relay = isolate(Relay, { isolation })
  await echo.start()
  await relay.start()
  t.equal(await relay.take(echo), 'Echo is running')
  t.equal(await relay.greet('bob'), 'there: hi bob')
  t.same(await relay.each(['a', 'b']), ['a!', 'b!'], 'callbacks go straight, too')
  t.match(await failure(relay.adopt()), { code: 'ERR_HAS_PARENT' }, 'it is no child over there')

  const back = await relay.giveBack()
  t.equal(back.label, 'Echo')
  t.equal(back.state, 'running')
  t.equal(await back.greet('again'), 'hi again', 'a handle in a result is one, too')
  await relay.stop()
  t.match(
    await failure(back.greet('still')),
    { code: 'ERR_NOT_RUNNING' },
    'it ends with the side it came from',
  )
  await echo.stop()
})

both('a handle over there follows a restart, and steers', async (t, isolation) => {
  const echo = isolate(Echo, { args: ['hi'], isolation })
  const relay = isolate(Relay, { args: [echo], isolation })
  await echo.start()
  await relay.start()
  t.equal(await relay.greet('before'), 'there: hi before', 'it came in an argument of the constructor')
  await echo.restart()
  t.equal(await relay.greet('after'), 'there: hi after')
  t.equal(await relay.restartIt(), 'running 2')
  t.equal(echo.restartCount, 2)
  await relay.stop()
  await echo.stop()
})

both('calls over it settle when the service goes down', async (t, isolation) => {
  const echo = isolate(Echo, { isolation })
  const relay = isolate(Relay, { isolation })
  await echo.start()
  await relay.start()
  await relay.take(echo)
  const crashed = relay.failure()
  await relay.greet('the call before has arrived')
  await echo.crash(new Error('on purpose'))
  t.equal(await crashed, 'ERR_SERVICE_CRASHED')
  await until(async () => (await failure(relay.greet('x'))).code === 'ERR_NOT_RUNNING')
  await echo.start()
  t.equal(await relay.greet('x'), 'there: hello x')
  await echo.stop()
  await relay.stop()
})

both(
  'a handle that nobody over there holds any more is collected, its port with it',
  async (t, isolation) => {
    const echo = isolate(Echo, { isolation })
    const collected = isolate(Collected, { isolation })
    await echo.start()
    await collected.start()
    for (let i = 0; i < 20; i++) t.equal(await collected.askOnce(echo as never), 'hello you')
    await until(async () => (await collected.alive()) === 0, 'all of them to go')
    await echo.restart()
    t.equal(await collected.askOnce(echo as never), 'hello you', 'the next one is as good as the first')
    await collected.stop()
    await echo.stop()
  },
)
