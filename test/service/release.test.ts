import t from 'tap'
import { Service } from '../../src/index.ts'
import type { HooksLifecycle } from '../../src/service/hooks.ts'
import { NODE } from '../../src/service/node.ts'
import { Gate } from '../support/gate.ts'

class Child extends Service {
  readonly events: string[]
  constructor(label: string, events: string[]) {
    super({ label })
    this.events = events
  }
  protected override onStop(): void {
    this.events.push(`${this.label} onStop`)
    if (this.label === 'first') throw new Error('first')
  }
  protected override onShutdown(): void {
    this.events.push(`${this.label} onShutdown`)
  }
}

function tree(release: HooksLifecycle['release']): { root: Child; events: string[] } {
  const events: string[] = []
  const root = new Child('root', events)
  const [first, last] = [new Child('first', events), new Child('last', events)]
  root.addDependency(first)
  root.addDependency(last)
  ;(last[NODE].lifecycle as HooksLifecycle).release = release
  return { root, events }
}

void t.test('the next child stops while what held the one before is yet to end', async (t) => {
  const gate = new Gate()
  const { root, events } = tree(async (_budget, hooksDone) => {
    hooksDone()
    await gate.pass()
    events.push('last released')
  })
  await root.start()
  const stopping = root.stop().catch(() => events.push('stopped'))
  await gate.reached
  while (!events.includes('first onShutdown')) await new Promise((resolve) => setImmediate(resolve))
  t.same(
    [root, ...root.children].map(({ state }) => state),
    ['stopping', 'stopping', 'stopping'],
    'it waits for both, and who comes later is not down before who came first',
  )
  gate.open()
  await stopping
  t.strictSame(events, [
    'root onStop',
    'last onStop',
    'first onStop',
    'first onShutdown',
    'last released',
    'last onShutdown',
    'root onShutdown',
    'stopped',
  ])
})

void t.test('what does not say that it is over but for that is waited for', async (t) => {
  const { root, events } = tree(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    events.push('last released')
  })
  await root.start()
  await t.rejects(root.stop(), { message: 'first' })
  t.strictSame(events.slice(0, 5), [
    'root onStop',
    'last onStop',
    'last released',
    'last onShutdown',
    'first onStop',
  ])
})

void t.test('the errors of all are told, in the order of the stop', async (t) => {
  const { root } = tree(async (_budget, hooksDone) => {
    hooksDone()
    await new Promise((resolve) => setImmediate(resolve))
    throw new Error('last')
  })
  await root.start()
  const error = (await root.stop().catch((reason: unknown) => reason)) as AggregateError
  t.strictSame(
    error.errors.map(({ message }: Error) => message),
    ['last', 'first'],
  )
})
