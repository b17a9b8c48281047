import t from 'tap'
import {
  cronDefinition,
  crontab,
  definitionsOf,
  isScheduledMethod,
  task,
  timer,
  timerDefinition,
  type WorkDecorator,
} from '../../src/schedule/metadata.ts'

const { signal } = new AbortController()
const sweep = async (): Promise<void> => {}
const names = (instance: object) => definitionsOf(instance).map(({ name }) => name)
const runAll = async (instance: object) => {
  for (const { run } of definitionsOf(instance)) await run(signal)
}

class Base {
  readonly calls: string[] = []
  @task
  async consume(signal: AbortSignal): Promise<void> {
    this.calls.push(`Base.consume ${signal.aborted}`)
  }
  @timer('1.5s', { immediate: true, onError: 'log' })
  protected async poll(): Promise<void> {
    this.calls.push('Base.poll')
  }
  async plain(): Promise<void> {}
  @crontab('30 18 * * *', { timezone: 'Europe/Berlin' })
  async nightly(_signal?: AbortSignal): Promise<number> {
    this.calls.push('Base.nightly')
    return 1
  }
}

void t.test('definitions stand in the order of the class', async (t) => {
  const instance = new Base()
  t.match(definitionsOf(instance), [
    { kind: 'task', name: 'consume' },
    { kind: 'timer', name: 'poll', every: 1500, immediate: true, onError: 'log' },
    {
      kind: 'cron',
      name: 'nightly',
      expression: '30 18 * * *',
      timezone: 'Europe/Berlin',
      onError: 'crash',
    },
  ])
  await runAll(instance)
  t.strictSame(instance.calls, ['Base.consume false', 'Base.poll', 'Base.nightly'])
  t.strictSame(definitionsOf({}), [])
})

void t.test('each instance has its own, on itself', async (t) => {
  const [one, two] = [new Base(), new Base()]
  await definitionsOf(one)[1]!.run(signal)
  t.strictSame(one.calls, ['Base.poll'])
  t.strictSame(two.calls, [])
})

void t.test('a subclass adds after the base', async (t) => {
  class Sub extends Base {
    @task
    async first(): Promise<void> {}
    @timer(5)
    async second(): Promise<void> {}
  }
  t.strictSame(names(new Sub()), ['consume', 'poll', 'nightly', 'first', 'second'])
})

void t.test('an override without decorator takes the place of the method', async (t) => {
  class Sub extends Base {
    protected override async poll(): Promise<void> {
      this.calls.push('Sub.poll')
    }
  }
  const instance = new Sub()
  t.strictSame(names(instance), ['consume', 'poll', 'nightly'])
  await runAll(instance)
  t.strictSame(instance.calls, ['Base.consume false', 'Sub.poll', 'Base.nightly'])
})

void t.test('an override with decorator replaces the work, and it still runs once', async (t) => {
  class Sub extends Base {
    @task
    async extra(): Promise<void> {}
    @timer('2s')
    protected override async poll(): Promise<void> {
      await super.poll()
      this.calls.push('Sub.poll')
    }
    @task
    override async consume(): Promise<void> {
      this.calls.push('Sub.consume')
    }
  }
  const instance = new Sub()
  t.match(definitionsOf(instance), [
    { kind: 'task', name: 'consume' },
    { kind: 'timer', name: 'poll', every: 2000, immediate: false, onError: 'crash' },
    { kind: 'cron', name: 'nightly' },
    { kind: 'task', name: 'extra' },
  ])
  await runAll(instance)
  t.strictSame(instance.calls, ['Sub.consume', 'Base.poll', 'Sub.poll', 'Base.nightly'])
})

void t.test('works are replaced by name, and by method where the name differs', async (t) => {
  class Named {
    @timer('1s', { name: 'fast' })
    @timer('1m', { name: 'slow' })
    async poll(): Promise<void> {}
    @crontab('0 0 * * *', { name: 'night' })
    async sweep(): Promise<void> {}
    @task
    async last(): Promise<void> {}
  }
  t.strictSame(names(new Named()), ['slow', 'fast', 'night', 'last'])

  class ByMethod extends Named {
    @timer('5s')
    override async poll(): Promise<void> {}
  }
  t.strictSame(names(new ByMethod()), ['poll', 'night', 'last'])

  class ByName extends Named {
    @timer('5s', { name: 'night' })
    async other(): Promise<void> {}
  }
  const instance = new ByName()
  t.strictSame(names(instance), ['slow', 'fast', 'night', 'last'])
  t.match(definitionsOf(instance)[2], { kind: 'timer', every: 5000 })
  t.ok(isScheduledMethod(instance, 'sweep'))
})

void t.test('one method under one name twice is refused', async (t) => {
  class Twice {
    @task
    @timer('1s')
    async poll(): Promise<void> {}
  }
  t.throws(() => new Twice(), { code: 'ERR_INVALID_ARGUMENT', message: /poll is decorated twice as "poll"/ })
})

void t.test('scheduled methods can be told apart', async (t) => {
  const key = Symbol('key')
  class Sub extends Base {
    @task
    async [key](): Promise<void> {}
    override async consume(): Promise<void> {}
  }
  const instance = new Sub()
  for (const name of ['consume', 'poll', 'nightly', key]) t.equal(isScheduledMethod(instance, name), true)
  for (const name of ['plain', 'calls', 'constructor']) t.equal(isScheduledMethod(instance, name), false)
  t.equal(isScheduledMethod({}, 'consume'), false)
  t.equal(names(instance).at(-1), 'key')
})

void t.test(
  'a rejection is the rejection of the run; a synchronous throw of a JavaScript method too',
  async (t) => {
    class Failing {
      @task
      async fail(): Promise<void> {
        throw new Error('boom')
      }
      @(task as unknown as SyncDecorator)
      failNow(): void {
        throw new Error('bang')
      }
    }
    const [fail, failNow] = definitionsOf(new Failing())
    await t.rejects(fail!.run(signal), { message: 'boom' })
    await t.rejects(failNow!.run(signal), { message: 'bang' })
  },
)

void t.test('arguments are checked when the class is defined', async (t) => {
  t.throws(() => timer('soon'), { code: 'ERR_INVALID_DURATION', message: /'soon' is not a duration/ })
  t.throws(() => timer(-1), { code: 'ERR_INVALID_DURATION' })
  t.throws(() => timer(0), { code: 'ERR_INVALID_ARGUMENT', message: /interval of 0 ms/ })
  t.doesNotThrow(() => timer(Infinity))
  t.throws(() => crontab('61 * * * *'), { code: 'ERR_INVALID_ARGUMENT', message: /61 \* \* \* \*.*minute/ })
  t.throws(() => crontab('* * * * *', { timezone: 'Mars/Base' }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => timer(1000, { onError: 'ignore' as 'log' }), {
    code: 'ERR_INVALID_ARGUMENT',
    message: "onError of a timer is 'ignore': give 'crash' or 'log'",
  })
  t.throws(() => crontab('* * * * *', { name: '' }), { message: "'' is not a name for a cron" })
})

void t.test('only public and protected methods can be decorated', async (t) => {
  const loose = task as unknown as (value: unknown, context?: unknown) => void
  const apply = (context: object) => () => loose(async () => {}, context)
  const code = 'ERR_INVALID_ARGUMENT'
  t.throws(apply({ kind: 'getter', name: 'a', static: false, private: false }), {
    code,
    message: 'task cannot decorate the getter "a": use it on an async method, public or protected',
  })
  t.throws(apply({ kind: 'field', name: 'a', static: false }), { code, message: /the field "a"/ })
  t.throws(apply({ kind: 'class', name: 'A' }), { code, message: /the class "A"/ })
  t.throws(apply({ kind: 'method', name: 'a', static: true }), { code, message: /the static method "a"/ })
  t.throws(apply({ kind: 'method', name: '#a', private: true }), { code, message: /the private method "#a"/ })
  t.throws(() => loose(undefined), { code, message: /write @task, without parentheses/ })
  t.throws(() => loose({}, 'poll'), { code, message: /no experimentalDecorators/ })
  const bare = timer('1s') as unknown as (value: unknown) => void
  t.throws(() => bare(undefined), { code, message: /write @timer\(…\), with its arguments/ })
})

void t.test('definitions without decorators', async (t) => {
  t.strictSame(timerDefinition({ seconds: 2 }, sweep), {
    kind: 'timer',
    every: 2000,
    immediate: false,
    run: sweep,
    name: 'sweep',
    onError: 'crash',
  })
  t.strictSame(cronDefinition('@daily', sweep, { onError: 'log', name: 'night' }), {
    kind: 'cron',
    expression: '@daily',
    timezone: undefined,
    run: sweep,
    name: 'night',
    onError: 'log',
  })
  t.equal(timerDefinition(1, async () => {}).name, 'timer')
  t.equal(cronDefinition('@daily', async () => {}, { name: undefined }).name, 'cron')
  t.throws(() => timerDefinition(0, sweep), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => cronDefinition('x', sweep), { code: 'ERR_INVALID_ARGUMENT' })
})

type SyncDecorator = (method: () => void, context: ClassMethodDecoratorContext) => void

void t.test('types: async methods of no parameter or a signal, nothing else', async (t) => {
  class Wrong {
    // @ts-expect-error not async
    @task
    sync(): void {}
    // @ts-expect-error a parameter that is no signal
    @timer('1s')
    async parameter(count: number): Promise<number> {
      return count
    }
    // @ts-expect-error more than a signal
    @crontab('* * * * *')
    async more(_signal: AbortSignal, count: number): Promise<number> {
      return count
    }
  }
  const decorator: WorkDecorator = timer('1s')
  t.type(decorator, 'function')
  t.equal(definitionsOf(new Wrong()).length, 3)
})
