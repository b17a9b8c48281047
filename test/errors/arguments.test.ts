import t from 'tap'
import { fail, numberFrom, oneOf, wholeNumber, wrong } from '../../src/errors/arguments.ts'

const code = 'ERR_INVALID_ARGUMENT'

void t.test('a problem is an error with its code, and the cause it has', async (t) => {
  const cause = new Error('why')
  t.throws(() => fail('no good'), { code, name: 'BulkheadError', message: 'no good' })
  t.throws(() => fail('no good', { cause }), { code, cause })
  try {
    fail('no good')
  } catch (error) {
    t.notOk(Object.hasOwn(error as object, 'cause'))
  }
})

void t.test('wholeNumber', async (t) => {
  t.equal(wholeNumber('size', 1, { least: 1 }), 1)
  t.equal(wholeNumber('size', Infinity, { least: 1, orInfinity: true }), Infinity)
  t.throws(() => wholeNumber('size', 0, { least: 1 }), {
    code,
    message: 'size is 0: give a whole number from 1 up',
  })
  t.throws(() => wholeNumber('size', 1.5, { least: 0, orInfinity: true }), {
    code,
    message: 'size is 1.5: give a whole number from 0 up, or Infinity',
  })
  const none: unknown[] = [NaN, Infinity, -1, '1', null, undefined, {}, Symbol('1'), 1n]
  for (const value of none) t.throws(() => wholeNumber('size', value as number, { least: 0 }), { code })
})

void t.test('numberFrom', async (t) => {
  t.equal(numberFrom('factor', 1.5, { least: 1 }), 1.5)
  t.equal(numberFrom('jitter', 1, { least: 0, most: 1 }), 1)
  t.throws(() => numberFrom('factor', NaN, { least: 1 }), {
    code,
    message: 'factor is NaN: give a number from 1 up',
  })
  t.throws(() => numberFrom('jitter', 2, { least: 0, most: 1 }), {
    code,
    message: 'jitter is 2: give a number from 0 to 1',
  })
})

void t.test('oneOf', async (t) => {
  t.equal(oneOf('way', 'in', ['in', 'out']), 'in')
  const refused = (choices: string[], message: string): void => {
    t.throws(() => oneOf('way', 'up', choices), { code, message })
  }
  refused(['in'], "way is 'up': give 'in'")
  refused(['in', 'out'], "way is 'up': give 'in' or 'out'")
  refused(['in', 'out', 'down'], "way is 'up': give 'in', 'out' or 'down'")
  t.throws(() => oneOf('way', { toString: 5 } as never, ['in']), { code, message: /toString: 5/ })
})

void t.test('wrong', async (t) => {
  t.throws(() => wrong('replacement', 5, 'a function'), {
    code,
    message: 'replacement is 5: give a function',
  })
})
