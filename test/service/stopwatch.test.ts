import t from 'tap'
import { Stopwatch } from '../../src/service/stopwatch.ts'

void t.test('each step ends where the next begins; a step that comes again is added', async (t) => {
  const watch = new Stopwatch<'a' | 'b'>()
  t.same([watch.steps, watch.totalMs], [{}, 0])
  watch.enter('a', 10)
  t.same(watch.soFar(12), { steps: { a: 2 }, totalMs: 2 }, 'with the one under way')
  watch.enter('b', 13)
  watch.enter('a', 20)
  watch.end(25)
  watch.end(40)
  t.same([watch.steps, watch.totalMs], [{ a: 8, b: 7 }, 15])
  t.same(watch.soFar(50), { steps: { a: 8, b: 7 }, totalMs: 15 })
})
