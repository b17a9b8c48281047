// Checked by tsc alone: what must not compile says so, and fails if it does.
import { type Isolated, type RemoteMethods, Service, type ServiceLike, isolate } from '../../src/index.ts'

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- how identity of types is tested
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Equal<A, B>): void {}

class Typed extends Service {
  static override readonly module = import.meta.url
  field = 1
  arrow = (): number => 1
  sync(a: number, b?: string): number {
    return a + (b?.length ?? 0)
  }
  nothing(): void {}
  async later(name: string): Promise<string> {
    return name
  }
  async generic<T extends { id: number }>(value: T): Promise<T> {
    return value
  }
  overloaded(key: 'name'): Promise<string>
  overloaded(key: 'age'): Promise<number>
  async overloaded(key: string): Promise<string | number> {
    return key === 'name' ? 'x' : 1
  }
  async *stream<T>(items: T[]): AsyncGenerator<T> {
    yield* items
  }
  iterable(): AsyncIterable<number> {
    return this.stream([1])
  }
  never(): never {
    throw new Error('always')
  }
  async neverLater(): Promise<never> {
    throw new Error('always')
  }
  maybe(): Promise<number> | number {
    return 1
  }
  rest(first: string, ...others: number[]): number {
    return others.length + first.length
  }
  override async onStart(): Promise<void> {}
  override onStop(): void {}
  _internal(): void {}
  protected guarded(): void {}
  private secret(): void {}
  toJSON(): string {
    this.secret()
    return ''
  }
}

export async function types(): Promise<void> {
  const handle = isolate(Typed)
  same<typeof handle, Isolated<Typed>>(true)

  // ---- results
  const sum: Promise<number> = handle.sync(1)
  same<ReturnType<typeof handle.sync>, Promise<number>>(true)
  same<Parameters<typeof handle.sync>, [a: number, b?: string]>(true)
  same<ReturnType<typeof handle.nothing>, Promise<void>>(true)
  same<ReturnType<typeof handle.later>, Promise<string>>(true)
  same<ReturnType<typeof handle.maybe>, Promise<number>>(true)
  same<Parameters<typeof handle.rest>, [first: string, ...others: number[]]>(true)
  const kept = await handle.generic({ id: 1, name: 'x' })
  const name: string = kept.name
  const text: string = await handle.overloaded('name')
  const age: number = await handle.overloaded('age')
  for await (const item of handle.stream(['a'])) item.toUpperCase()
  for await (const item of handle.iterable()) item.toFixed()
  same<ReturnType<typeof handle.neverLater>, Promise<never>>(true)
  same<ReturnType<typeof handle.never>, Promise<never>>(true)

  // @ts-expect-error -- not a number before it is awaited
  const early: number = handle.sync(1)
  // @ts-expect-error -- argument of another type
  void handle.sync('1')
  // @ts-expect-error -- no such overload
  void handle.overloaded('other')
  // @ts-expect-error -- the bound of the type parameter holds
  void handle.generic({ name: 'x' })

  // ---- what is not there
  // @ts-expect-error -- no such method
  handle.missing()
  // @ts-expect-error -- a field
  void handle.field
  // @ts-expect-error -- a hook, though made public
  void handle.onStart()
  // @ts-expect-error -- a hook
  void handle.onStop()
  // @ts-expect-error -- starts with an underscore
  handle._internal()
  // @ts-expect-error -- protected
  handle.guarded()
  // @ts-expect-error -- private
  handle.secret()
  // @ts-expect-error -- then would make it a promise
  void handle.then
  // @ts-expect-error -- toJSON
  void handle.toJSON
  // @ts-expect-error -- an author's helper
  handle.addTask('x', async () => {})
  // @ts-expect-error -- an author's helper
  void handle.sleep(1)
  // @ts-expect-error -- an author's helper
  void handle.log
  // @ts-expect-error -- an author's helper
  void handle.signal

  // ---- what is the handle's own
  const like: ServiceLike = handle
  const threadId: number | undefined = handle.threadId
  await handle.stop({ timeout: '1s' })
  same<Awaited<ReturnType<typeof handle.maybeStart>>, boolean>(true)

  // ---- with()
  const limited = handle.with({ timeout: '1s', signal: AbortSignal.timeout(1) })
  same<typeof limited, RemoteMethods<Typed>>(true)
  same<ReturnType<typeof limited.sync>, Promise<number>>(true)
  const again: number = await limited.overloaded('age')
  // @ts-expect-error -- the remote methods alone
  void limited.start()
  // @ts-expect-error -- the remote methods alone
  limited.with({})
  // @ts-expect-error -- no duration
  handle.with({ timeout: true })

  // ---- args
  class Needs extends Service {
    constructor(
      readonly size: number,
      readonly title?: string,
    ) {
      super()
    }
  }
  class Optional extends Service {
    constructor(readonly size = 1) {
      super()
    }
  }
  isolate(Needs, { args: [1] })
  isolate(Needs, { args: [1, 'x'], label: 'Needs' })
  isolate(Optional)
  isolate(Optional, {})
  isolate(Optional, { args: [] })
  isolate(Optional, { args: [2] })
  // @ts-expect-error -- args required
  isolate(Needs)
  // @ts-expect-error -- args required
  isolate(Needs, { label: 'x' })
  // @ts-expect-error -- of another type
  isolate(Needs, { args: ['1'] })
  // @ts-expect-error -- too few
  isolate(Needs, { args: [] })
  // @ts-expect-error -- too many
  isolate(Optional, { args: [1, 2] })
  // @ts-expect-error -- no service
  isolate(class {})
  // @ts-expect-error -- no such option
  isolate(Optional, { nonsense: true })
  // @ts-expect-error -- no such place
  isolate(Optional, { isolation: 'process' })

  // ---- URL form
  const byUrl = isolate<Typed>(new URL('./typed.js', import.meta.url), {
    args: [1, 'anything'],
    export: 'Typed',
  })
  same<typeof byUrl, Isolated<Typed>>(true)
  const untyped = isolate('/srv/typed.js')
  await untyped.start()

  void [sum, name, text, age, early, like, threadId, again]
}
