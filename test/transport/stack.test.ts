import t from 'tap'
import { stackWithin } from '../../src/transport/stack.ts'
import { until } from '../support/both.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** No thread has this id: the inspector never tells of one. */
const NOBODY = 2 ** 30

void t.test('a stack that does not come is waited for as long as was said, by the given clock', async (t) => {
  const clock = new FakeClock()
  let found: string | undefined = 'not yet'
  const asked = stackWithin(NOBODY, 300, clock).then((stack) => (found = stack))
  await clock.advance(299)
  t.equal(found, 'not yet')
  await clock.advance(1)
  t.equal(found, undefined)
  await asked
  // It may not even have been loaded by then.
  await until(() => clock.pending === 1, 'the inspector to be asked')
  await clock.advance(2000)
  t.equal(clock.pending, 0, 'but not for ever')
})
