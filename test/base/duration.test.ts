import * as fc from 'fast-check'
import ms from 'ms'
import t from 'tap'
import { parseDuration } from '../../src/base/duration.ts'
import { isBulkheadError } from '../../src/errors/bulkhead-error.ts'
import { toMilliseconds } from '../../src/errors/arguments.ts'

const throwing = {
  get seconds(): number {
    throw new Error('boom')
  },
}

void t.test('what is a duration', async (t) => {
  const table: [unknown, number][] = [
    [0, 0],
    [250, 250],
    [0.5, 0.5],
    [2 ** 31, 2 ** 31],
    [Infinity, Infinity],
    ['250ms', 250],
    ['1.5s', 1500],
    ['.5s', 500],
    ['2 min', 120_000],
    ['2 MIN', 120_000],
    ['1h', 3_600_000],
    ['30 days', 30 * 86_400_000],
    ['1w', 7 * 86_400_000],
    ['0s', 0],
    [{ seconds: 1 }, 1000],
    [{ seconds: 0 }, 0],
    [{ minutes: 1, seconds: 30 }, 90_000],
    [{ days: 1, hours: 1, minutes: 1, seconds: 1, milliseconds: 1 }, 90_061_001],
    [{ seconds: 1, minutes: undefined }, 1000],
    [{ hours: Infinity }, Infinity],
    [Object.assign(Object.create(null), { seconds: 2 }), 2000],
  ]
  for (const [value, expected] of table) t.equal(parseDuration(value), expected, String(expected))
})

void t.test('what is none', async (t) => {
  const { proxy, revoke } = Proxy.revocable({ seconds: 1 }, {})
  revoke()
  const none: unknown[] = [
    NaN,
    -1,
    -Infinity,
    '',
    ' ',
    '5',
    '1e3',
    '-1s',
    '1s ',
    ' 1s',
    's',
    '1 parsec',
    '1s 2s',
    '1s\n',
    'Infinity',
    'Infinity s',
    '0x10s',
    `${'9'.repeat(200)}s`,
    {},
    [],
    [1],
    Object.assign([], { seconds: 1 }),
    { seconds: undefined },
    { seconds: '1' },
    { seconds: NaN },
    { seconds: -1 },
    { seconds: 5, minutes: -1 },
    { seconds: 1, fortnights: 1 },
    { seconds: 1, fortnights: undefined },
    { constructor: 1 },
    JSON.parse('{"__proto__": 1}'),
    Object.create({ seconds: 1 }),
    null,
    undefined,
    true,
    5n,
    Symbol('s'),
    () => 5,
    new Date(5),
    new Map([['seconds', 1]]),
    Object(5),
    Object('5s'),
    throwing,
    proxy,
  ]
  for (const [index, value] of none.entries()) {
    t.equal(parseDuration(value), undefined, `invalid #${index}`)
    try {
      toMilliseconds(value as never)
      t.fail(`invalid #${index} was accepted`)
    } catch (error) {
      t.ok(isBulkheadError(error, 'ERR_INVALID_DURATION'), `invalid #${index} has the code`)
    }
  }
})

void t.test('minus zero is zero', async (t) => {
  t.ok(Object.is(parseDuration(-0), 0))
  t.ok(Object.is(parseDuration('-0s'), 0))
  t.ok(Object.is(parseDuration({ seconds: -0 }), 0))
})

function messageFor(value: unknown): string {
  try {
    return String(toMilliseconds(value as never))
  } catch (error) {
    return (error as Error).message
  }
}

void t.test('the error names the value, in one line', async (t) => {
  t.match(messageFor('1 parsec'), "'1 parsec' is not a duration")
  t.match(messageFor(-5), '-5 is not a duration')
  t.match(messageFor({ fortnights: 2 }), '{ fortnights: 2 } is not a duration')
  t.match(messageFor(undefined), 'undefined is not a duration')
  t.notMatch(messageFor({ a: { b: { c: { d: 'x'.repeat(500) } } }, e: 'first\nsecond' }), /\n/)
  t.ok(messageFor('x'.repeat(100_000)).length < 1500)
})

void t.test('property: any number', async () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const expected = value >= 0 ? value + 0 : undefined
      return Object.is(parseDuration(value), expected)
    }),
  )
})

void t.test('property: numbers with a unit agree with ms, the same without one is refused', async () => {
  const units = ['ms', 's', 'sec', 'm', 'min', 'h', 'hours', 'd', 'days', 'w', 'y']
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(999),
      fc.constantFrom(...units),
      fc.constantFrom('', ' ', '   '),
      (whole, fraction, unit, gap) => {
        const text = `${whole}.${fraction}${gap}${unit}`
        return (
          parseDuration(text) === ms(text as ms.StringValue) &&
          parseDuration(`-${text}`) === (parseFloat(text) === 0 ? 0 : undefined) &&
          parseDuration(`${whole}.${fraction}`) === undefined
        )
      },
    ),
  )
})

void t.test('property: objects add up', async () => {
  const amount = fc.option(fc.nat(1_000_000), { nil: undefined })
  const record = fc.record({
    days: amount,
    hours: amount,
    minutes: amount,
    seconds: amount,
    milliseconds: amount,
  })
  fc.assert(
    fc.property(record, (units) => {
      const { days, hours, minutes, seconds, milliseconds } = units
      const given = Object.values(units).some((value) => value !== undefined)
      const total =
        (days ?? 0) * 86_400_000 +
        (hours ?? 0) * 3_600_000 +
        (minutes ?? 0) * 60_000 +
        (seconds ?? 0) * 1000 +
        (milliseconds ?? 0)
      return parseDuration(units) === (given ? total : undefined)
    }),
  )
})

void t.test('property: anything at all gives a duration or ERR_INVALID_DURATION', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        fc.string(),
        fc.stringMatching(/^-?\d*\.?\d+ ?[a-z]*$/),
      ),
      (value) => {
        try {
          return toMilliseconds(value as never) >= 0
        } catch (error) {
          return isBulkheadError(error, 'ERR_INVALID_DURATION')
        }
      },
    ),
    { numRuns: 1000 },
  )
})
