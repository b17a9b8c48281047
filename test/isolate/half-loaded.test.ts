import t from 'tap'
import { isolate, type Service } from '../../src/index.ts'
import { NODE } from '../../src/service/node.ts'
import { nextTurn } from '../../src/base/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

interface Shared {
  half?: new () => Service
}

void t.test(
  'the export of a class whose module is still being evaluated is guessed after a second',
  async (t) => {
    const library = new URL('../../src/index.js', import.meta.url).href
    const folder = t.testdir({
      'half.mjs': `
      import { Service } from '${library}'
      export class Half extends Service {
        static module = import.meta.url
        lifecycleLevel = 'silent'
      }
      globalThis.half = Half
      await new Promise(() => {})
    `,
    })
    void import(`file://${folder}/half.mjs`)
    const shared = globalThis as Shared
    while (!shared.half) await nextTurn()

    const clock = new FakeClock()
    const handle = isolate(shared.half, { isolation: 'inline' })
    handle[NODE].clock = clock
    const starting = handle.start()
    await clock.advance(999)
    t.equal(handle.state, 'starting')
    await clock.advance(1)
    await starting
    t.equal(handle.state, 'running')
    await handle.stop()
    t.equal(clock.pending, 0)
  },
)
