import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import type { SupervisorEvent, ServiceLike, RestartType, Strategy, Supervisor } from '../../src/index.ts'
import { type Model, ModelChild, type Rules } from './model.ts'

/** The real thing beside the model: children are known by their names. */
export interface Real {
  readonly supervisor: Supervisor
  readonly journal: readonly string[]
  readonly told: readonly string[]
  make(name: string): ServiceLike
  child(name: string): ServiceLike
  failStarts(name: string, times: number): void
  /** As this kind of child crashes. */
  crash(name: string): void
  /** Resolves when all has come to rest that can without time going by. */
  rest(model: Model): Promise<void>
  advance(ms: number): Promise<void>
  /** What holds for this kind of children besides. */
  check(model: Model): void
}

type Command = fc.AsyncCommand<Model, Real>

/** One thing that befalls both; then they are compared. */
class Step implements Command {
  readonly #name: string
  readonly #applies: (model: Model) => boolean
  readonly #run: (model: Model, real: Real) => Promise<void> | void

  constructor(
    name: string,
    applies: (model: Model) => boolean,
    run: (model: Model, real: Real) => Promise<void> | void,
  ) {
    this.#name = name
    this.#applies = applies
    this.#run = run
  }

  check(model: Model): boolean {
    return this.#applies(model)
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.#run(model, real)
    await real.rest(model)
    compare(model, real)
  }

  toString(): string {
    return this.#name
  }
}

export function compare(model: Model, real: Real): void {
  const { supervisor } = real
  deepStrictEqual(real.journal, model.journal)
  deepStrictEqual(
    { state: supervisor.state, children: supervisor.children.map(({ label, state }) => `${label} ${state}`) },
    { state: model.state, children: model.children.map(({ name, state }) => `${name} ${state}`) },
  )
  deepStrictEqual(real.told, model.told)
  if (model.crashCode) deepStrictEqual((supervisor.crashReason as { code?: string }).code, model.crashCode)
  real.check(model)
}

/** What `Model.told` has of an event; those about waiting are left out. */
function tellOf({ type, child, restarts }: SupervisorEvent): string[] {
  const isAboutWaiting = type === 'backoff' || type === 'restarting' || type === 'restarted'
  return isAboutWaiting ? [] : [`${type} ${child.label} ${restarts}`]
}

const isRunning = (model: Model): boolean => model.state === 'running'
const hasChildren = (model: Model): boolean => model.children.length > 0
const restartType = fc.constantFrom<RestartType>('permanent', 'permanent', 'transient', 'temporary')

/** What the supervisor tells from now on. */
export function toldBy(supervisor: Supervisor): readonly string[] {
  const told: string[] = []
  supervisor.on((event) => told.push(...tellOf(event)))
  return told
}

function onChild(
  name: string,
  at: number,
  run: (child: ModelChild, model: Model, real: Real) => Promise<void> | void,
): Command {
  return new Step(`${name}(${at})`, hasChildren, (model, real) =>
    run(model.children[at % model.children.length]!, model, real),
  )
}

const crash = (at: number): Command =>
  onChild('crash', at, (child, model, real) => {
    if (child.state === 'running') real.crash(child.name)
    model.crashChild(child)
  })

const stop = (at: number): Command =>
  onChild('stop', at, async (child, model, real) => {
    model.stopChild(child)
    await real.child(child.name).stop()
  })

const remove = (at: number): Command =>
  onChild('remove', at, async (child, model, real) => {
    model.remove(child)
    await real.supervisor.remove(real.child(child.name))
  })

const failStarts = (at: number, times: number): Command =>
  onChild(`fail ${times} starts`, at, (child, _model, real) => {
    child.failures = times
    real.failStarts(child.name, times)
  })

const add = (restart: RestartType, failures: number): Command =>
  new Step(
    `add(${restart}, failing ${failures} times)`,
    ({ children }) => children.length < 6,
    (model, real) => {
      const name = `x${++model.added}`
      const service = real.make(name)
      real.failStarts(name, failures)
      real.supervisor.add({ service, restart })
      const child = new ModelChild(name, restart, model.state === 'running')
      child.failures = failures
      model.add(child)
    },
  )

const advance = (ms: number): Command =>
  new Step(
    `advance(${ms})`,
    () => true,
    async (model, real) => {
      model.advance(ms)
      await real.advance(ms)
    },
  )

const stopAll = (): Command =>
  new Step('stop the supervisor', isRunning, async (model, real) => {
    model.stop()
    await real.supervisor.stop()
  })

const crashAll = (): Command =>
  new Step('crash the supervisor', isRunning, async (model, real) => {
    model.crash()
    await real.supervisor.crash(new Error('from outside'))
  })

const startAll = (): Command =>
  new Step(
    'start the supervisor',
    (model) => !isRunning(model),
    async (model, real) => {
      model.start()
      await real.supervisor.start().catch(() => {})
    },
  )

const child = fc.nat(5)

/** What befalls children, without time that has to go by. */
export const timeless: fc.Arbitrary<Command>[] = [
  child.map(crash),
  child.map(crash),
  child.map(stop),
  child.map(remove),
  fc.tuple(child, fc.integer({ min: 1, max: 3 })).map(([at, times]) => failStarts(at, times)),
  fc.tuple(restartType, fc.nat(1)).map(([type, failures]) => add(type, failures)),
  fc.constant(undefined).map(startAll),
]

export const whatever: fc.Arbitrary<Command>[] = [
  ...timeless,
  child.map(crash),
  fc.constantFrom(0, 50, 100, 400, 1000, 10_000).map(advance),
  fc.nat(400).map(advance),
  fc.constant(undefined).map(stopAll),
  fc.constant(undefined).map(crashAll),
  fc.constant(undefined).map(startAll),
]

export function rulesFor(strategies: readonly Strategy[], initialDelay: number): fc.Arbitrary<Rules> {
  return fc.record({
    strategy: fc.constantFrom(...strategies),
    maxRestarts: fc.constantFrom(0, 1, 3, 5, 100),
    over: fc.constantFrom(...(initialDelay > 0 ? [300, 1000, 10_000] : [3_600_000])),
    initialDelay: fc.constant(initialDelay),
  })
}

/** The children that a supervisor is made with. */
export function typesOf(minLength: number, maxLength: number): fc.Arbitrary<RestartType[]> {
  return fc.array(restartType, { minLength, maxLength })
}
