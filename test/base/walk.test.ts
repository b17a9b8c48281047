import t from 'tap'
import { CONTENTS, Copier, type CopyRules, isContainer, someWithin } from '../../src/base/walk.ts'

const rules: CopyRules = { standIn: (value) => (isContainer(value) ? CONTENTS : `<${typeof value}>`) }
const copy = (value: unknown): unknown => new Copier(rules).copy(value)

const doNothing = (): void => {}
const contents = (): typeof CONTENTS => CONTENTS

type Chain = { next?: Chain }

function chain(length: number): Chain {
  const first: Chain = {}
  let last = first
  for (let i = 1; i < length; i++) last = last.next = {}
  return first
}

function lengthOf(value: Chain): number {
  let length = 0
  for (let at: Chain | undefined = value; at; at = at.next) length++
  return length
}

void t.test('a copy has the same contents, and shares nothing', async (t) => {
  const shared = { a: [1, [2]] }
  const value = { shared, again: shared, none: undefined, nothing: null, big: 1n, f: () => {} }
  const copied = copy(value) as typeof value
  t.strictSame(copied, { ...value, f: '<function>' })
  t.not(copied.shared, shared)
  t.not(copied.shared.a, shared.a)
  t.equal(copied.again, copied.shared, 'what was met twice is copied once')
})

void t.test('__proto__ is a property like others', async (t) => {
  const copied = copy(JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>
  t.ok(Object.hasOwn(copied, '__proto__'))
  t.equal(Object.getPrototypeOf(copied), Object.prototype)
  t.equal(copied['admin'], undefined)
})

void t.test('arrays keep holes and further properties', async (t) => {
  const dense = ['a', 'b']
  // oxlint-disable-next-line no-sparse-arrays
  const sparse = ['a', , 'c', ,]
  const named = Object.assign(['a'], { extra: 1 })
  // As many properties as items.
  const both = Object.assign(Array.from({ length: 0 }), { extra: 1, length: 1 })
  for (const array of [[], dense, sparse, named, both]) {
    const copied = copy(array) as unknown[]
    t.ok(Array.isArray(copied))
    t.equal(copied.length, array.length)
    t.strictSame(Object.entries(copied), Object.entries(array))
  }
})

void t.test('circles, near and very deep, do no harm', async (t) => {
  const depth = 100_000
  const value = chain(depth)
  let last: Chain = value
  while (last.next) last = last.next
  last.next = value
  const copied = copy(value) as Chain
  let at: Chain = copied
  for (let i = 0; i < depth; i++) at = at.next!
  t.equal(at, copied)
  t.not(copied, value)
  t.equal(
    someWithin(value, () => false),
    false,
  )
  Object.assign(last, { found: Symbol('found') })
  t.equal(
    someWithin(value, (part) => typeof part === 'symbol'),
    true,
  )
})

void t.test('rules are told how deep a value lies', async (t) => {
  const bounded: CopyRules = { standIn: (_value, depth) => (depth < 500 ? CONTENTS : 'too deep') }
  const copied = new Copier(bounded).copy(chain(2000)) as Chain
  t.equal(lengthOf(copied), 501, 'and the text in place of what is deeper')
})

void t.test('in place, containers stand for themselves', async (t) => {
  const value = { list: [doNothing, 1], f: doNothing }
  const { list } = value
  t.equal(new Copier(rules, { inPlace: true }).copy(value), value)
  t.equal(value.list, list)
  t.strictSame(value, { list: ['<function>', 1], f: '<function>' })
})

void t.test('what cannot be read is for the rules, else an error', async (t) => {
  const boom = new Error('boom')
  const throwing = {
    get bad(): unknown {
      throw boom
    },
    good: 1,
  }
  const { proxy, revoke } = Proxy.revocable({}, {})
  const value = { throwing, proxy }
  const told = new Copier({
    standIn: contents,
    threw: (key, error) => `${key}: ${(error as Error).message}`,
    unreadable: () => 'unreadable',
  })
  revoke()
  t.strictSame(told.copy(value), { throwing: { bad: 'bad: boom', good: 1 }, proxy: 'unreadable' })
  t.throws(() => new Copier({ standIn: contents }).copy({ throwing }), boom)
  t.throws(() => new Copier({ standIn: contents }).copy({ proxy }), TypeError)
})

void t.test('someWithin asks about all but primitives', async (t) => {
  const asked: unknown[] = []
  const date = new Date()
  const list = [1, date, date]
  const value = { list, again: list, text: 'x' }
  const ask = (part: unknown, container: boolean): boolean => {
    asked.push([part, container])
    return false
  }
  t.equal(someWithin(value, ask), false)
  t.strictSame(asked, [
    [date, false],
    [date, false],
    [list, true],
    [value, true],
  ])
})
