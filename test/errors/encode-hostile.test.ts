import { inspect } from 'node:util'
import t from 'tap'
import { decodeError } from '../../src/errors/decode.ts'
import { encodeError } from '../../src/errors/encode.ts'
import { type Any, boom, cross, snapshot } from './crossing.ts'

void t.test('nothing makes it throw', async (t) => {
  const traps = { get: boom, has: boom, ownKeys: boom, getPrototypeOf: boom, getOwnPropertyDescriptor: boom }
  const unreadable = new Error('x')
  // V8 makes the stack's text when it is first needed, and asks for the name then.
  t.type(unreadable.stack, 'string')
  const revoked = Proxy.revocable(new Error('x'), {})
  revoked.revoke()
  const hostile: [string, unknown][] = [
    ['proxy', new Proxy(new Error('x'), traps)],
    ['proxy of which only reading throws', new Proxy(new Error('x'), { get: boom })],
    ['proxy without traps', new Proxy(new TypeError('x'), {})],
    ['proxy of an object', new Proxy({}, traps)],
    ['revoked', revoked.proxy],
    ['null prototype', Object.setPrototypeOf(new Error('x'), null)],
    ['frozen', Object.freeze(Object.assign(new Error('x'), { a: Object.freeze({ b: 1 }) }))],
    ['made from the prototype', Object.create(Error.prototype)],
    ['the prototype', Error.prototype],
    ['symbol as name', Object.assign(new Error('x'), { name: Symbol('n') })],
    ['object as name', Object.assign(new Error('x'), { name: { toString: 1 }, message: { a: 1 } })],
    [
      'getters',
      Object.defineProperties(unreadable, {
        name: { get: boom },
        message: { get: boom },
        stack: { get: boom },
      }),
    ],
    ['no stack', Object.defineProperty(new Error('x'), 'stack', { value: undefined })],
    ['structured stack', Object.defineProperty(new Error('x'), 'stack', { value: [boom] })],
    ['toJSON and inspect', Object.assign(new Error('x'), { toJSON: boom, [inspect.custom]: boom })],
    ['__proto__', Object.assign(new Error('x'), { bag: JSON.parse('{"__proto__": {"polluted": 1}}') })],
    ['constructor', Object.assign(new Error('x'), { constructor: null })],
    ['detached', Object.assign(new Error('x'), { a: detached() })],
    ['globals', Object.assign(new Error('x'), { process, globalThis, Math })],
  ]
  for (const [name, value] of hostile) {
    const encoded = encodeError(value)
    const there = decodeError(structuredClone(encoded))
    t.strictSame(snapshot(cross(there)), snapshot(there), name)
  }
  t.ok(cross(new Proxy(new TypeError('x'), {})) instanceof TypeError)
  t.ok(cross(Object.setPrototypeOf(new Error('x'), null)) instanceof Error)
  t.equal(cross(Object.create(Error.prototype)).stack, 'Error')
  t.equal(({} as Any).polluted, undefined)
  t.strictSame(Object.keys(cross(hostile.find(([name]) => name === '__proto__')?.[1]).bag as object), [
    '__proto__',
  ])
})

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}
