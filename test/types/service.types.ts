// Checked by tsc alone: each @ts-expect-error fails the build when the line below it compiles.
import { type Duration, Service, type ServiceLike, type ServiceView, type Work } from '../../src/index.ts'

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(equal: Equal<A, B>): void {
  void equal
}

class Base extends Service {
  protected override onStart(): void {}
  async twice(value: number): Promise<number> {
    return value * 2
  }
}

// Hooks: optional to write, callable through super, and an author may make them public.
class Derived extends Base {
  override async onStart(): Promise<void> {
    super.onStart()
    await super.onStop()
    await super.onShutdown()
  }
  public override onStarted(): void {}
  protected override postInit(): void {}
  protected override onInitDependencies(): ServiceLike[] {
    return [new Base()]
  }
}
void new Derived().onStart()
// @ts-expect-error protected
new Base().onStart()
// @ts-expect-error Service is abstract
void new Service()

class Wrong extends Service {
  // @ts-expect-error not an iterable of services
  protected override onInitDependencies(): number[] {
    return [1]
  }
}
void Wrong

// wait() infers like Promise.all.
async function waits(service: Base): Promise<void> {
  const signal = new AbortController().signal
  const { stopped, timedOut, results } = await service.wait([
    Promise.resolve('text'),
    async (own: AbortSignal) => Number(own.aborted),
    signal,
  ])
  same<typeof stopped, boolean>(true)
  same<typeof timedOut, boolean>(true)
  same<typeof results, [string | undefined, number | undefined, unknown]>(true)
  const one = await service.wait(service.twice(1), { timeout: '1s' })
  same<typeof one.results, [number | undefined]>(true)
  const none = await service.wait()
  same<typeof none.results, []>(true)
  const first = await service.waitFirst([service.twice(1), Promise.resolve(true)], {
    timeout: { seconds: 1 },
  })
  same<typeof first.results, [number | undefined, boolean | undefined]>(true)
  const list: Promise<string>[] = []
  const many = await service.wait(list)
  same<typeof many.results, (string | undefined)[]>(true)
  const works: readonly Work[] = [signal]
  await service.wait(works)
  // @ts-expect-error a number is no work
  await service.wait(1)
  // @ts-expect-error works are given as a list
  await service.waitFirst(Promise.resolve(1))
  // @ts-expect-error no such option
  await service.wait([], { within: 1 })
}
void waits

// Decorators take async methods, public or protected, with a signal or nothing.
class Tasks extends Service {
  @Service.task async plain(): Promise<void> {}
  @Service.task protected async withSignal(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
  }
  @Service.timer('1s', { immediate: true, name: 'tick', onError: 'log' }) async timed(): Promise<void> {}
  @Service.crontab('30 18 * * *', { timezone: 'UTC', onError: 'crash' }) async daily(): Promise<void> {}

  // @ts-expect-error not async
  @Service.task sync(): void {}
  // @ts-expect-error not async
  @Service.timer('1s') syncTimer(): void {}
  // @ts-expect-error not async
  @Service.crontab('* * * * *') syncCron(): number {
    return 1
  }
  // @ts-expect-error nobody would give it a number
  @Service.task async wrongParameter(count: number): Promise<void> {
    void count
  }
  // @ts-expect-error no such value
  @Service.timer('1s', { onError: 'ignore' }) async wrongOption(): Promise<void> {}
}
void Tasks

async function helpers(service: Base, child: Derived): Promise<void> {
  same<ReturnType<typeof service.addDependency<Derived>>, Derived>(true)
  const added = await service.addRuntimeDependency(child)
  same<typeof added, Derived>(true)
  const future = service.addFuture(async (signal) => signal.aborted)
  same<typeof future, Promise<boolean>>(true)
  same<Awaited<ReturnType<typeof service.maybeStart>>, boolean>(true)
  const resource = service.use({ [Symbol.dispose]() {}, name: 'r' })
  same<typeof resource.name, string>(true)
  const view: ServiceView = service
  // @ts-expect-error a view cannot be steered
  await view.stop()
  // @ts-expect-error read-only
  service.state = 'running'
  // @ts-expect-error a resource can be disposed
  service.use({})
  // @ts-expect-error not a service
  service.addDependency({})
  const durations: Duration[] = [1, '1s', { minutes: 1, seconds: 2 }, Infinity]
  // @ts-expect-error no such unit
  durations.push({ weeks: 1 })
  await service.stop({ timeout: durations[0] })
  for await (const tick of service.interval('1s')) same<typeof tick, number>(true)
  await using scope = service
  void scope
}
void helpers
