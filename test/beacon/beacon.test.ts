import * as fc from 'fast-check'
import t from 'tap'
import { Beacon, type BeaconData, type BeaconEvent } from '../../src/beacon/beacon.ts'

const beacon = (label: string): Beacon => new Beacon({ label, state: 'init' })
const labels = (list: Iterable<Beacon>): string[] => [...list].map(({ data }) => data.label)

function family() {
  const [host, web, store, cache] = [beacon('Host'), beacon('Web'), beacon('Store'), beacon('Cache')]
  host.attach(web)
  host.attach(store)
  store.attach(cache)
  return { host, web, store, cache }
}

void t.test('a beacon alone is its own root', async (t) => {
  const alone = beacon('Host')
  t.equal(alone.parent, undefined)
  t.equal(alone.root, alone)
  t.equal(alone.depth, 0)
  t.equal(alone.path, 'Host')
  t.strictSame(alone.children, [])
  t.same([...alone.walk()], [alone])
  t.same([...alone.traverse()], [alone])
})

void t.test('a graph knows parents, children, depth and order', async (t) => {
  const { host, web, store, cache } = family()
  t.equal(cache.parent, store)
  t.equal(cache.root, host)
  t.equal(cache.depth, 2)
  t.equal(cache.path, 'Host/Store/Cache')
  t.strictSame(labels(host.children), ['Web', 'Store'])
  t.strictSame(labels(cache.walk()), ['Cache', 'Store', 'Host'])
  web.attach(beacon('Socket'))
  t.strictSame(labels(host.traverse()), ['Host', 'Web', 'Store', 'Socket', 'Cache'])
})

void t.test('children is a snapshot, made once', async (t) => {
  const { host, web } = family()
  const before = host.children
  t.equal(host.children, before)
  host.detach(web)
  t.equal(before.length, 2)
  t.equal(host.children.length, 1)
})

void t.test('attach refuses what has a parent and what stands above', async (t) => {
  const { host, web, store, cache } = family()
  t.throws(() => web.attach(cache), { message: 'Host/Store/Cache already has a parent' })
  t.throws(() => store.attach(cache), { message: 'Host/Store/Cache already has a parent' })
  t.throws(() => cache.attach(host), { message: 'Host cannot be its own descendant' })
  t.throws(() => host.attach(host), { message: 'Host cannot be its own descendant' })
})

void t.test('detach makes a root of the child, and ignores strangers', async (t) => {
  const { host, web, store, cache } = family()
  t.equal(cache.path, 'Host/Store/Cache')
  host.detach(cache)
  t.equal(cache.parent, store)
  host.detach(store)
  t.equal(store.parent, undefined)
  t.equal(cache.root, store)
  t.equal(cache.path, 'Store/Cache')
  t.equal(store.path, 'Store')
  web.attach(store)
  t.equal(cache.path, 'Host/Web/Store/Cache')
})

void t.test('repeated sibling labels are numbered, and keep their number', async (t) => {
  const host = beacon('Host')
  const [a, b, c, d] = [beacon('w'), beacon('w'), beacon('w'), beacon('w')]
  for (const child of [a, b, c]) host.attach(child)
  t.strictSame(
    host.children.map((child) => child.path),
    ['Host/w', 'Host/w#2', 'Host/w#3'],
  )
  host.detach(a)
  t.equal(c.path, 'Host/w#3')
  t.equal(a.path, 'w')
  host.attach(d)
  t.equal(d.path, 'Host/w')
  host.attach(a)
  t.equal(a.path, 'Host/w#4')
})

void t.test('a label that looks numbered does not give two siblings one path', async (t) => {
  const host = beacon('Host')
  for (const label of ['a#2', 'a', 'a', 'a#2']) host.attach(beacon(label))
  const paths = host.children.map((child) => child.path)
  t.strictSame(paths, ['Host/a#2', 'Host/a', 'Host/a#3', 'Host/a#2#2'])
})

void t.test('numbers are the smallest free ones, whatever comes and goes', async () => {
  const steps = fc.array(fc.oneof(fc.constant(undefined), fc.nat(20)), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (plan) => {
      const host = beacon('h')
      const held = new Map<number, Beacon>()
      for (const step of plan) {
        const gone = step === undefined ? undefined : [...held][step % Math.max(held.size, 1)]
        if (gone) {
          host.detach(gone[1])
          held.delete(gone[0])
          continue
        }
        let smallest = 1
        while (held.has(smallest)) smallest++
        const child = beacon('w')
        host.attach(child)
        if (child.path !== (smallest === 1 ? 'h/w' : `h/w#${smallest}`)) return false
        held.set(smallest, child)
      }
      return [...held].every(([n, child]) => child.path === (n === 1 ? 'h/w' : `h/w#${n}`))
    }),
  )
})

void t.test('10,000 siblings of one label come and go quickly', async (t) => {
  const comeAndGo = (labelOf: (n: number) => string, last: string): number => {
    const host = beacon('Host')
    const children = Array.from({ length: 10_000 }, (_, n) => beacon(labelOf(n + 1)))
    const before = process.cpuUsage()
    for (const child of children) {
      host.attach(child)
      host.detach(child)
      host.attach(child)
    }
    t.equal(children.at(-1)!.path, last)
    for (const child of children.toReversed()) host.detach(child)
    t.equal(host.children.length, 0)
    return process.cpuUsage(before).user
  }
  const floor = comeAndGo((n) => `w${n}`, 'Host/w10000')
  const took = comeAndGo(() => 'w', 'Host/w#10000')
  // Scanning siblings takes tens of seconds.
  t.ok(took < 50 * floor, `${took} µs, and ${floor} with labels of their own`)
})

void t.test('a path can be read however deep it is', async (t) => {
  const leaf = beacon('a')
  let top = leaf
  for (let depth = 0; depth < 20_000; depth++) {
    const above = beacon('a')
    above.attach(top)
    top = above
  }
  t.equal(leaf.root, top)
  t.equal(leaf.depth, 20_000)
  t.equal(leaf.path.length, 40_001)
  t.equal(top.path, 'a')
})

void t.test('the label of a root may become known late', async (t) => {
  const late: { label: string; state: string } = { label: '', state: 'init' }
  const root = new Beacon(late)
  const child = beacon('child')
  root.attach(child)
  t.equal(child.path, '/child')
  late.label = 'Late'
  t.equal(child.path, 'Late/child')
})

void t.test('a label is read when the child is attached', async (t) => {
  const data = { label: 'one', state: 'init' }
  const { host } = family()
  const child = new Beacon(data)
  host.attach(child)
  data.label = 'Web'
  t.equal(child.path, 'Host/one')
  host.detach(child)
  host.attach(child)
  t.equal(child.path, 'Host/Web#2')
})

void t.test('a mounted root stands where it does on the main thread', async (t) => {
  const { host, cache } = family()
  t.equal(cache.path, 'Host/Store/Cache')
  host.mount = 'Main/Host#2'
  t.equal(host.path, 'Main/Host#2')
  t.equal(cache.path, 'Main/Host#2/Store/Cache')
  t.equal(cache.depth, 2)
  host.mount = undefined
  t.equal(cache.path, 'Host/Store/Cache')
})

void t.test('events bubble to the observers of the beacon and of all above it', async (t) => {
  const { host, web, store, cache } = family()
  const seen: string[] = []
  const watch = (name: string, at: Beacon) =>
    at.observe(({ type, beacon, parent }) => {
      seen.push(`${name}: ${type} ${beacon.data.label}${parent ? ` ${parent.data.label}` : ''}`)
    })
  const stop = watch('host', host)
  watch('store', store)
  watch('cache', cache)
  watch('web', web)

  cache.changed()
  t.strictSame(seen.splice(0), ['cache: change Cache', 'store: change Cache', 'host: change Cache'])
  host.detach(store)
  t.strictSame(seen.splice(0), ['store: detach Store Host', 'host: detach Store Host'])
  cache.changed()
  t.strictSame(seen.splice(0), ['cache: change Cache', 'store: change Cache'])
  web.attach(store)
  t.strictSame(seen.splice(0), ['store: attach Store Web', 'web: attach Store Web', 'host: attach Store Web'])
  stop()
  stop()
  web.changed()
  t.strictSame(seen, ['web: change Web'])
})

void t.test('an observer that is removed or moves beacons during an event does no harm', async (t) => {
  const { host, store, cache } = family()
  const seen: string[] = []
  store.observe(() => {
    stop()
    if (cache.parent) store.detach(cache)
  })
  const stop = host.observe(() => seen.push('removed'))
  host.observe(({ type }) => seen.push(type))
  cache.changed()
  t.strictSame(seen, ['detach', 'change'])
})

void t.test('the same listener can observe twice', async (t) => {
  const alone = beacon('a')
  let calls = 0
  const listener = () => calls++
  const stop = alone.observe(listener)
  alone.observe(listener)
  stop()
  alone.changed()
  t.equal(calls, 1)
})

void t.test('types: a beacon of more is a beacon of less', async (t) => {
  interface Rich extends BeaconData {
    readonly extra: number
  }
  const rich = new Beacon<Rich>({ label: 'a', state: 'init', extra: 1 })
  const plain: Beacon = rich
  const extra: number = rich.root.data.extra
  rich.observe((event: BeaconEvent<Rich>) => event.beacon.data.extra)
  // @ts-expect-error data is read-only
  t.doesNotThrow(() => (plain.data = rich.data))
  t.equal(extra, 1)
})
