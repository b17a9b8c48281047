import type { RestartType, Strategy } from '../../src/supervisor/supervisor.ts'

// What OTP promises of a supervisor, as plain data that changes at once: no awaits, no clock but a number. It
// says what has to be true when all has come to rest. Written from API.md, not from src/supervisor, and
// simpler than that can be, since in it nothing ever happens while something else is under way.

export interface Rules {
  readonly strategy: Strategy
  readonly maxRestarts: number
  /** Milliseconds. */
  readonly over: number
  /** Milliseconds that the second restart waits, doubled for each later one; 0 for not at all. */
  readonly initialDelay: number
}

export type ModelState = 'init' | 'running' | 'stopped' | 'crashed'

export class ModelChild {
  state: ModelState = 'init'
  /** So many starts to come will fail. */
  failures = 0
  readonly name: string
  readonly restart: RestartType
  /** Added in a run, and gone when it ends. */
  readonly isGuest: boolean

  constructor(name: string, restart: RestartType, isGuest = false) {
    this.name = name
    this.restart = restart
    this.isGuest = isGuest
  }
}

/** What waits for its back-off. */
interface Repair {
  /** Those to be started, in any order. */
  readonly start: Set<ModelChild>
  dueAt: number
}

const MAX_DELAY = 5000

export class Model {
  readonly rules: Rules
  children: ModelChild[]
  state: ModelState = 'init'
  /** The code of the error that it crashed with; undefined when that was a child's own. */
  crashCode: string | undefined
  /** `+name` when a start begins, `-name` when a run has ended, in the order that OTP promises. */
  readonly journal: string[] = []
  /** `type name restarts` for each event that is not about waiting. */
  readonly told: string[] = []
  /** How many children have ever been added. */
  added = 0
  #now = 0
  #spentAt: number[] = []
  #attempt = 0
  #lastAt = -Infinity
  #repairs: Repair[] = []

  constructor(rules: Rules, children: ModelChild[]) {
    this.rules = rules
    this.children = children
  }

  get waiting(): number {
    return this.#repairs.length
  }

  // ---- what may befall it

  /** Starts the children in order. One that fails fails the whole: what had started is undone. */
  start(): void {
    this.#spentAt = []
    this.#attempt = 0
    this.#lastAt = -Infinity
    this.crashCode = undefined
    for (const child of this.children) {
      if (this.#starts(child)) continue
      this.#end('crashed', 'stopped')
      this.crashCode = 'ERR_START_FAILED'
      return
    }
    this.state = 'running'
  }

  stop(): void {
    this.#end('stopped', 'stopped')
  }

  /** From outside, or passed up by the strategy. */
  crash(): void {
    this.#end('crashed', 'crashed')
  }

  crashChild(child: ModelChild): void {
    if (child.state !== 'running') return
    this.#down(child, 'crashed')
    this.#fell(child, 'crash')
  }

  /** By someone else than the supervisor. */
  stopChild(child: ModelChild): void {
    if (child.state !== 'running') return
    this.#down(child, 'stopped')
    if (this.state === 'running') this.#fell(child, 'stop')
  }

  add(child: ModelChild): void {
    this.children.push(child)
    if (this.state === 'running' && !this.#starts(child)) this.#fell(child, 'crash')
  }

  remove(child: ModelChild): void {
    this.#down(child, 'stopped')
    this.children = this.children.filter((each) => each !== child)
    for (const repair of this.#repairs) repair.start.delete(child)
    this.#forgetEmpty()
  }

  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      // Of several that are due at once, the one that has waited longest.
      const dueAt = Math.min(...this.#repairs.map((repair) => repair.dueAt))
      if (!(dueAt <= end)) break
      this.#now = dueAt
      this.#carryOut(this.#repairs.find((repair) => repair.dueAt === dueAt)!)
    }
    this.#now = end
  }

  // ---- what it does about it

  #fell(child: ModelChild, how: 'crash' | 'restart-failed' | 'stop'): void {
    if (!this.#isToBeRestarted(child, how)) {
      if (how === 'stop') return
      this.#tell(how, child)
      if (this.rules.strategy === 'crash' && child.restart !== 'temporary') this.crash()
      else this.#forfeit(child)
      return
    }
    // One crash spends one restart, however many children it restarts.
    const isAffordable = this.#spend()
    if (how !== 'stop') this.#tell(how, child)
    if (!isAffordable) {
      this.#tell('gave-up', child)
      this.#end('crashed', 'stopped')
      this.crashCode = 'ERR_MAX_RESTARTS'
      return
    }
    const affected = this.#affectedBy(child)
    const back = affected.filter((each) => each === child || this.#comesBack(each))
    for (const each of affected.toReversed()) this.#down(each, 'stopped')
    this.#schedule(back)
  }

  #isToBeRestarted({ restart }: ModelChild, how: 'crash' | 'restart-failed' | 'stop'): boolean {
    if (!['one-for-one', 'one-for-all', 'rest-for-one'].includes(this.rules.strategy)) return false
    return restart === 'permanent' || (restart === 'transient' && how !== 'stop')
  }

  #forfeit(child: ModelChild): void {
    this.#tell('forfeited', child)
    if (child.restart === 'temporary') return
    for (const each of this.#affectedBy(child).toReversed()) this.#down(each, 'stopped')
  }

  #affectedBy(child: ModelChild): ModelChild[] {
    switch (this.rules.strategy) {
      case 'one-for-all':
      case 'forfeit-one-for-all':
        return this.children
      case 'rest-for-one':
        return this.children.slice(this.children.indexOf(child))
      default:
        return [child]
    }
  }

  /** As a sibling: whatever had come to its end for good stays there. */
  #comesBack(child: ModelChild): boolean {
    if (child.restart === 'temporary') return false
    const isAwaited = this.#repairs.some(({ start }) => start.has(child))
    return child.restart === 'permanent' || child.state === 'running' || isAwaited
  }

  #schedule(back: readonly ModelChild[]): void {
    const dueAt = this.#now + this.#nextDelay()
    // one-for-one looks at each child by itself, the others at all of them together.
    const shared = this.rules.strategy === 'one-for-one' ? undefined : this.#repairs[0]
    const repair = shared ?? { start: new Set(), dueAt }
    for (const child of back) repair.start.add(child)
    repair.dueAt = Math.max(repair.dueAt, dueAt)
    if (!shared) this.#repairs.push(repair)
    if (repair.dueAt <= this.#now) this.#carryOut(repair)
  }

  #carryOut(repair: Repair): void {
    for (const child of this.children.filter((each) => repair.start.has(each))) {
      repair.start.delete(child)
      const isUp = this.#starts(child)
      if (isUp) continue
      this.#forgetEmpty()
      // Half-restarted siblings are undone before the next try.
      this.#fell(child, 'restart-failed')
      return
    }
    this.#forgetEmpty()
  }

  #starts(child: ModelChild): boolean {
    this.journal.push(`+${child.name}`)
    const isUp = child.failures === 0
    if (!isUp) child.failures -= 1
    child.state = isUp ? 'running' : 'crashed'
    return isUp
  }

  #down(child: ModelChild, state: ModelState): void {
    if (child.state !== 'running') return
    child.state = state
    this.journal.push(`-${child.name}`)
  }

  /** Whatever ends a run: all children go down, in reverse, and nothing waits any more. */
  #end(state: ModelState, childState: ModelState): void {
    this.#repairs = []
    for (const child of this.children.toReversed()) this.#down(child, childState)
    this.children = this.children.filter(({ isGuest }) => !isGuest)
    this.state = state
  }

  #forgetEmpty(): void {
    this.#repairs = this.#repairs.filter(({ start }) => start.size > 0)
  }

  /** A sliding window: any span of `over` milliseconds holds at most `maxRestarts`. */
  #spend(): boolean {
    if (this.#spent() >= this.rules.maxRestarts) return false
    this.#spentAt.push(this.#now)
    return true
  }

  #spent(): number {
    return this.#spentAt.filter((at) => this.#now - at < this.rules.over).length
  }

  #nextDelay(): number {
    if (this.#now - this.#lastAt >= this.rules.over) this.#attempt = 0
    this.#lastAt = this.#now
    const attempt = this.#attempt++
    return attempt === 0 ? 0 : Math.min(this.rules.initialDelay * 2 ** (attempt - 1), MAX_DELAY)
  }

  #tell(type: string, { name }: ModelChild): void {
    this.told.push(`${type} ${name} ${this.#spent()}`)
  }
}
