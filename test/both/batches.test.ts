import t from 'tap'
import { isBulkheadError } from '../../src/index.ts'
import { Batched, context } from '../fixtures/batched.ts'
import { both, failure, quiet } from '../support/both.ts'
import { isolate } from '../support/isolate.ts'

quiet()

both('many calls of one turn: each gets its own answer, in order', async (t, isolation) => {
  const handle = isolate(Batched, { isolation })
  await handle.start()
  for (let round = 0; round < 3; round++) {
    const answers = Array.from({ length: 120 }, (_, n) => {
      if (n % 40 === 7) return handle.object(n).then((object) => object.n)
      if (n % 40 === 9) return failure(handle.fail(n)).then(({ message }) => Number(message.slice(3)))
      return handle.quick(n)
    })
    t.same(
      await Promise.all(answers),
      Array.from({ length: 120 }, (_, n) => n),
    )
  }
  const ran = await handle.ran()
  const quick = Array.from({ length: 120 }, (_, n) => n).filter((n) => n % 40 !== 7 && n % 40 !== 9)
  t.same(ran, [...quick, ...quick, ...quick])
  await handle.stop()
})

both('an argument is taken as it is when the call is made', async (t, isolation) => {
  const handle = isolate(Batched, { isolation })
  await handle.start()
  const answers = Array.from({ length: 50 }, (_, n) => handle.quick(n))
  let n = 50
  answers.push(handle.quick(n))
  n = 0
  t.equal(await answers[50], 50)
  t.ok(isBulkheadError(await failure(handle.quick(Symbol('x') as never)), 'ERR_NOT_CLONEABLE'))
  await handle.stop()
})

both('a stop after many calls of one turn comes after them', async (t, isolation) => {
  const handle = isolate(Batched, { isolation })
  await handle.start()
  const answers = Array.from({ length: 60 }, (_, n) => handle.quick(n))
  const stopping = handle.stop()
  t.same(
    await Promise.all(answers),
    Array.from({ length: 60 }, (_, n) => n),
  )
  await stopping
})

t.test('inline each call runs in the context that it was made in', async (t) => {
  const handle = isolate(Batched, { isolation: 'inline' })
  await handle.start()
  const numbers = Array.from({ length: 30 }, (_, n) => n)
  const calls = numbers.map((n) => context.run(n, () => handle.where()))
  t.same(await Promise.all(calls), numbers)
  await handle.stop()
})
