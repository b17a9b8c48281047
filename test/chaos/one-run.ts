import { pino } from 'pino'
import {
  type Isolated,
  type ServiceLike,
  type ServiceView,
  isBulkheadError,
  setLogger,
} from '../../src/index.ts'
import { nodeOf } from '../../src/service/node.ts'
import {
  type Facts,
  type Unit,
  type Verb,
  build,
  factsOf,
  isolatedIn,
  steer,
  terminateOne,
  threads,
  writeInto,
} from '../fixtures/chaos.ts'
import { Book } from './book.ts'
import { faultsIn, liveIn, tell } from './model.ts'
import { Random } from './random.ts'
import { type NodePlan, type RunPlan, contains, draw, nodesOf, planRun } from './tree.ts'

/** Far beyond what anything here takes, on a busy machine too: what has not settled by then never will. */
const BOUND = 15_000

const EXPECTED = new Set([
  'ERR_INVALID_STATE',
  'ERR_START_FAILED',
  'ERR_STOPPED_WHILE_STARTING',
  'ERR_NOT_RUNNING',
  'ERR_SERVICE_STOPPED',
  'ERR_SERVICE_CRASHED',
  'ERR_CALL_TIMEOUT',
  'ERR_THREAD_EXITED',
  'ERR_MAX_RESTARTS',
])

export interface RunResult {
  readonly faults: readonly string[]
  readonly plan: RunPlan
  readonly operations: number
  readonly threads: number
  /** The tree, what was done to it and what it wrote down. */
  story(): string
}

interface Operation {
  readonly what: string
  outcome: string
  settled: boolean
}

/** What this process says goes wrong while nobody looks. */
const strays: string[] = []
const onStray = (error: unknown): void =>
  void strays.push(`unhandled: ${error instanceof Error ? error.stack : String(error)}`)

export async function oneRun(seed: number): Promise<RunResult> {
  process.on('unhandledRejection', onStray)
  process.on('uncaughtException', onStray)
  try {
    return await new OneRun(seed).go()
  } finally {
    process.off('unhandledRejection', onStray)
    process.off('uncaughtException', onStray)
    setLogger(undefined)
  }
}

class OneRun {
  readonly #random: Random
  readonly #plan: RunPlan
  readonly #book = new Book()
  readonly #services = new Map<number, ServiceLike>()
  readonly #root: ServiceLike
  readonly #operations: Operation[] = []
  readonly #pending = new Set<Promise<void>>()
  readonly #faults: string[] = []
  readonly #log: string[] = []
  readonly #byHand = new Set<number>()
  readonly #before: number
  #threads = 0

  constructor(seed: number) {
    this.#random = new Random(seed)
    this.#plan = planRun(this.#random, { threads: this.#random.chance(0.35) })
    const write = (line: string): void => void this.#log.push(line)
    setLogger(pino({ base: null, timestamp: false, level: 'error' }, { write }))
    writeInto(this.#book)
    this.#root = build(this.#plan.root, this.#services)
    this.#before = strays.length
  }

  async go(): Promise<RunResult> {
    const counting = (): void => void (this.#threads += 1)
    process.on('worker', counting)
    this.#do('u1 start', () => this.#root.start())
    if (this.#random.chance(0.8)) await this.#settle()
    for (let round = 0; round < this.#plan.rounds && this.#faults.length === 0; round++) await this.#round()
    if (this.#faults.length === 0) await this.#end()
    process.off('worker', counting)
    this.#faults.push(...strays.slice(this.#before))
    return {
      faults: this.#faults,
      plan: this.#plan,
      operations: this.#operations.length,
      threads: this.#threads,
      story: () => this.#story(),
    }
  }

  async #round(): Promise<void> {
    const random = this.#random
    for (let left = random.between(1, 6); left > 0; left--) {
      this.#operate()
      if (random.chance(0.5)) await sleep(random.between(0, this.#plan.threads ? 12 : 4))
    }
    if (random.chance(0.5)) return
    await this.#settle(true)
    await this.#compare()
  }

  #operate(): void {
    const random = this.#random
    const isolated = [...isolatedIn([this.#plan.root])]
    const all = [...nodesOf(this.#plan.root)]
    const roll = random.next()
    if (roll < 0.5 && isolated.length > 0) this.#call(random.pick(isolated))
    else if (roll < 0.6 && isolated.length > 0) {
      const plan = random.pick(isolated)
      const how = random.pick(['exit', 'throw', 'reject'] as const)
      this.#do(`u${plan.id} dies by ${how}`, () => this.#handle(plan).die(how, random.between(0, 5)), true)
    } else if (roll < 0.65 && threads.size > 0) {
      this.#do('a thread is ended', () => terminateOne(random))
    } else this.#steer(random.pick(all))
  }

  #steer(plan: NodePlan): void {
    const random = this.#random
    const verbs: Verb[] = ['start', 'maybeStart', 'stop', 'restart', 'restart', 'crash']
    if (this.#plan.hasty) verbs.push('stop within', 'stop within')
    const service = this.#services.get(plan.id)
    const verb = random.pick(verbs)
    const seed = random.seed()
    if (/start/i.test(verb)) for (const { id } of nodesOf(plan)) this.#byHand.add(id)
    if (service) {
      this.#do(`u${plan.id} ${verb}`, () => steer(service, verb, new Random(seed)))
      return
    }
    const above = [...isolatedIn([this.#plan.root])].find((one) => contains(one, plan.id))!
    const what = plan.kind === 'isolated' && random.chance(0.2) ? 'terminate' : verb
    this.#do(
      `u${plan.id} ${what} through u${above.id}`,
      () => this.#handle(above).steer(plan.id, what, seed),
      true,
    )
  }

  #handle({ id }: NodePlan): Isolated<Unit> {
    return this.#services.get(id) as Isolated<Unit>
  }

  #call(plan: NodePlan): void {
    const random = this.#random
    const unit = this.#handle(plan)
    const does = (what: string, call: () => Promise<unknown>): void =>
      this.#do(`u${plan.id} ${what}`, call, true)
    const ms = random.between(0, 10)
    const calls: (() => void)[] = [
      () => does('echo', async () => same(await unit.echo({ ms }), { ms })),
      () => does('slow', async () => same(await unit.slow(ms), ms)),
      () => does('never', () => unit.never()),
      () => does('fail', () => unit.fail()),
      () => does('failLater', () => unit.failLater(ms)),
      () => does(`slow within ${ms}`, () => unit.with({ timeout: ms }).slow(random.between(0, 10))),
      () =>
        does('never until aborted', () => {
          const controller = new AbortController()
          setTimeout(() => controller.abort(new Error('chaos: aborted')), ms)
          return unit.with({ signal: controller.signal }).never()
        }),
      () =>
        does('until a signal', async () => {
          const controller = new AbortController()
          setTimeout(() => controller.abort(), ms)
          same(await unit.until(controller.signal), 'aborted')
        }),
      () => does('tick', async () => same(await unit.tick(4, async (n) => n), 6)),
      () =>
        does('tick, failing', () =>
          unit.tick(3, (n) => {
            if (n === 1) throw new Error('chaos: a callback failed')
            return n
          }),
        ),
      () => does('stream', async () => same(await sum(unit.count(12, false)), 66)),
      () => does('stream, failing', () => sum(unit.count(4, true))),
      () => does('stream, left early', () => sum(unit.count(1_000_000, false), ms)),
      () => {
        for (let n = 0; n < 50; n++) does(`flood ${n}`, async () => same(await unit.echo(n), n))
      },
      () => {
        const others = [...isolatedIn([this.#plan.root])].filter(({ id }) => id !== plan.id)
        if (others.length === 0) return
        const other = random.pick(others)
        does(`through u${other.id}`, async () =>
          same(await unit.through(this.#handle(other), 'hello'), 'hello'),
        )
      },
    ]
    random.pick(calls)()
  }

  /** `call`: settles with the service at the latest, not by itself. */
  #do(what: string, work: () => unknown, call = false): void {
    const operation: Operation = { what, outcome: 'pending', settled: false }
    this.#operations.push(operation)
    const at = Date.now()
    const watched = (async () => {
      try {
        await work()
        operation.outcome = 'done'
      } catch (error) {
        operation.outcome = String(error)
        if (!this.#isExpected(error)) this.#faults.push(`${what} rejected with ${describe(error)}`)
      }
      operation.settled = true
      operation.outcome += ` after ${Date.now() - at} ms`
    })()
    if (call) return
    this.#pending.add(watched)
    void watched.then(() => this.#pending.delete(watched))
  }

  #isExpected(error: unknown): boolean {
    if (error instanceof AggregateError) return error.errors.every((one) => this.#isExpected(one))
    if (isBulkheadError(error)) {
      return EXPECTED.has(error.code) || (this.#plan.hasty && error.code === 'ERR_STOP_TIMEOUT')
    }
    return error instanceof Error && error.message.startsWith('chaos: ')
  }

  /** Waits until what steers has settled. */
  async #settle(gently = false): Promise<void> {
    const settled = (): Promise<unknown> => Promise.all(this.#pending)
    if (gently && this.#random.chance(0.3)) {
      await Promise.race([settled(), sleep(20)])
      return
    }
    if (await within(BOUND, settled())) return
    this.#faults.push(`not settled within ${BOUND} ms: ${this.#unsettled()}`)
  }

  #unsettled(): string {
    return this.#operations
      .filter(({ settled }) => !settled)
      .map(({ what }) => what)
      .join('; ')
  }

  /** Once all is quiet: what handles show is what is, and what is has run its hooks. */
  async #compare(): Promise<void> {
    let difference: string | undefined
    const from = Date.now()
    do {
      if (this.#pending.size > 0) return
      difference = await this.#difference()
      if (difference === undefined) return
      await sleep(5)
    } while (Date.now() - from < 5000)
    this.#faults.push(difference)
  }

  async #difference(): Promise<string | undefined> {
    for (const plan of isolatedIn([this.#plan.root])) {
      const unit = this.#handle(plan)
      // With few places, calls that never end have them all.
      if (unit.state !== 'running' || plan.concurrency !== Infinity) continue
      let real: Facts
      try {
        real = await unit.with({ timeout: BOUND }).facts()
      } catch (error) {
        return `u${plan.id} does not tell what it is: ${String(error)}`
      }
      const mirrored = text({ ...factsOf(unit), restartCount: 0 })
      if (text({ ...real, restartCount: 0 }) !== mirrored) {
        return `u${plan.id} is mirrored wrong:\n  real     ${text(real)}\n  mirrored ${mirrored}`
      }
    }
    return this.#unbalanced()
  }

  /** A service that runs and has not started, or that is down and has not been torn down. */
  #unbalanced(): string | undefined {
    const live = liveIn(this.#book)
    for (const plan of nodesOf(this.#plan.root)) {
      if (plan.kind === 'supervisor') continue
      const state = this.#stateOf(plan.id)
      if (state === undefined) continue
      if (state === 'running' && !live.has(plan.id)) return `u${plan.id} is running, and has not started`
      const down = state === 'stopped' || state === 'init' || state === 'crashed'
      // An onStart that a budget abandoned may end well later: nothing is owed to it.
      if (down && !this.#plan.hasty && live.has(plan.id))
        return `u${plan.id} is ${state}, and has not been torn down`
    }
    return undefined
  }

  #stateOf(id: number): string | undefined {
    const find = (view: ServiceView): ServiceView | undefined => {
      if (view.label === `u${id}`) return view
      for (const child of view.children) {
        const found = find(child)
        if (found) return found
      }
      return undefined
    }
    return find(this.#root)?.state
  }

  async #end(): Promise<void> {
    const isDown = (): boolean => [...this.#services.values()].every((one) => !isUp(one))
    const from = Date.now()
    do {
      for (const [id, service] of this.#services) {
        if (isUp(service)) {
          this.#do(`u${id} stops in the end`, () => service.stop())
          await this.#settle()
        }
      }
      if (this.#faults.length > 0) return
    } while (!isDown() && Date.now() - from < BOUND)
    if (!isDown()) {
      const states = [...this.#services].map(([id, { state }]) => `u${id} ${state}`)
      this.#faults.push(`it does not come down: ${states.join(', ')}`)
      return
    }
    // A crash marks at once; stop() waits for the teardown.
    for (const [id, service] of this.#services) this.#do(`u${id} stop again`, () => service.stop())
    await this.#settle()
    if (threads.size > 0) this.#faults.push(`${threads.size} threads are left after the stop`)
    await until(() => this.#operations.every(({ settled }) => settled))
    const left = this.#unsettled()
    if (left !== '') this.#faults.push(`calls that never settled: ${left}`)
    if (this.#plan.hasty) await sleep(30)
    const odd = this.#unbalanced()
    if (odd !== undefined && !this.#plan.hasty) this.#faults.push(odd)
    if (this.#book.full) this.#faults.push('the book is full')
    const { root, hasty } = this.#plan
    this.#faults.push(...faultsIn(this.#book, root, { hasty, byHand: this.#byHand }))
    for (const line of this.#log) if (/Bulkhead:|cannot go from/.test(line)) this.#faults.push(line)
    await this.#nothingLeft()
  }

  /** Nothing of it keeps the process alive. */
  async #nothingLeft(): Promise<void> {
    // The look itself is one timer.
    if (!(await until(() => held().length <= 1, 3000))) {
      this.#faults.push(`still held: ${held().join()}`)
    }
  }

  #story(): string {
    const { root, hasty } = this.#plan
    const operations = this.#operations.map(({ what, outcome }) => `${what}: ${outcome}`)
    const entries = [...this.#book.entries()].map(tell)
    return [draw(root), `hasty: ${hasty}`, ...operations, ...entries, ...this.#log].join('\n')
  }
}

function held(): string[] {
  return process.getActiveResourcesInfo().filter((what) => /MessagePort|Worker|Timeout|Immediate/.test(what))
}

/** Also on its way: a restart that a hook has asked for goes on by itself. */
function isUp(service: ServiceLike): boolean {
  const node = nodeOf(service)
  return node.inRun || node.restarting !== undefined
}

function same(actual: unknown, expected: unknown): void {
  if (text(actual) !== text(expected)) throw new Error(`got ${text(actual)}, not ${text(expected)}`)
}

async function sum(numbers: AsyncIterable<number>, most = Infinity): Promise<number> {
  let total = 0
  let count = 0
  for await (const n of numbers) {
    total += n
    if (++count > most) break
  }
  return total
}

function text(value: unknown): string {
  return JSON.stringify(value)
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.stack} ${text(error)}` : String(error)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function until(condition: () => boolean, ms = BOUND): Promise<boolean> {
  const from = Date.now()
  while (!condition()) {
    if (Date.now() - from > ms) return false
    await sleep(2)
  }
  return true
}

async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)))
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
