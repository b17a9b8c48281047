import t from 'tap'
import { listenToProcess } from '../../src/host/signals.ts'
import { FakeClock } from '../support/fake-clock.ts'

function send(): void {
  process.emit('SIGWINCH', 'SIGWINCH')
}

void t.test('a signal that comes soon after the first is the same one', async (t) => {
  const clock = new FakeClock()
  const told: string[] = []
  const unlisten = listenToProcess(
    {
      signals: ['SIGWINCH'],
      dumpSignal: false,
      stop: () => told.push('stop'),
      exitNow: () => told.push('exit now'),
      dump: () => {},
      uncaught: () => {},
    },
    clock,
  )
  t.teardown(unlisten)

  send()
  send()
  await clock.advance(499)
  send()
  t.strictSame(told, ['stop'])
  await clock.advance(1)
  send()
  t.strictSame(told, ['stop', 'exit now'])
  send()
  t.strictSame(told, ['stop', 'exit now'], 'from then on nobody listens')
})
