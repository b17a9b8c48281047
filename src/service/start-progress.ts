import { Deferred, Latch } from '../base/deferred.ts'
import { type StartPhase, START_PHASES } from '../wire/records.ts'
import type { ServiceNode } from './node.ts'
import type { StepsObserver } from './observer.ts'
import { type Stages, checkStage, illegalTransition } from './state.ts'
import { Stopwatch } from './stopwatch.ts'

/**
 * How far a start has come, which decides what its stop owes; it may end at any of these. The hooks of stop are owed as
 * soon as onStart has returned, also when a stop or a crash came first.
 */
const STAGES = { due: 0, begun: 1, hooksOwed: 2, working: 3, running: 4 } as const satisfies Stages

/** A phase is never followed by one before it in the table; some are skipped, and `children` is entered for each child. */
const RANK_OF = Object.fromEntries(START_PHASES.map((phase, rank) => [phase, rank])) as Readonly<
  Record<StartPhase, number>
>

/** What the start of one run has come to. The verbs tell it what happened; nobody else changes it. */
export class StartProgress {
  #stage: number = STAGES.due
  #phase: StartPhase = 'postInit'
  #rank = 0
  #beganAt = 0
  readonly #times = new Stopwatch<StartPhase>()
  #promise: Deferred | undefined
  readonly #stepsOver = new Latch()
  #atRest = false
  #prepared: ServiceNode[] | undefined
  #observer: StepsObserver<StartPhase> | undefined

  /** Whether this run is the one under way or done; before, it is the one to come. */
  get begun(): boolean {
    return this.#stage >= STAGES.begun
  }
  /** Past `onStart`: `onStop` and `onShutdown` are owed. */
  get hooksDue(): boolean {
    return this.#stage >= STAGES.hooksOwed
  }
  get tasksStarted(): boolean {
    return this.#stage >= STAGES.working
  }
  get reachedRunning(): boolean {
    return this.#stage >= STAGES.running
  }

  /** The step that it is in or ended in; the teardown, which may overtake an abandoned hook, leaves it alone. */
  get phase(): StartPhase {
    return this.#phase
  }
  /** When start() was called, of Clock.now(); 0 before. */
  get beganAt(): number {
    return this.#beganAt
  }
  /** What the steps took, in milliseconds, with the one that is under way. */
  timesAt(now: number): ReturnType<Stopwatch<StartPhase>['soFar']> {
    return this.#times.soFar(now)
  }

  /** The whole start(), for those who join it; undefined once it has settled, or is about to. */
  get promise(): Promise<void> | undefined {
    return this.#promise?.promise
  }
  /** Resolves when the steps have come to rest, or were given up by the teardown. */
  get stepsOver(): Promise<void> {
    return this.#stepsOver.promise
  }
  /** Whether the steps came to rest by themselves. */
  get atRest(): boolean {
    return this.#atRest
  }

  /** The run begins, here or elsewhere. */
  runBegan(): void {
    this.#goTo(STAGES.begun)
  }

  /** start() was called, and settles as what is returned does. */
  startCalled(now: number): Promise<void> {
    this.#promise = new Deferred()
    this.#beganAt = now
    // Who listens to the change to `starting` belongs to the time it takes, too.
    this.#times.enter(this.#phase, now)
    return this.#promise.promise
  }

  entered(phase: StartPhase, now: number): void {
    const rank = RANK_OF[phase]
    if (rank < this.#rank) throw illegalTransition('a start', this.#phase, phase)
    this.#rank = rank
    this.#phase = phase
    this.#times.enter(phase, now)
    this.#observer?.entered(phase)
  }

  onStartReturned(): void {
    this.#goTo(STAGES.hooksOwed)
  }

  /** From here on, what is added begins at once. */
  tasksBegan(): void {
    this.#goTo(STAGES.working)
  }

  stepsSucceeded(now: number): void {
    this.#times.end(now)
    this.#goTo(STAGES.running)
  }

  /** It runs elsewhere: whatever came in between happened there. */
  ranElsewhere(): void {
    while (!this.reachedRunning) this.#goTo(this.#stage + 1)
  }

  /** No step of it is under way any more, however the last one ended. */
  cameToRest(now: number): void {
    this.#atRest = true
    this.#times.end(now)
  }

  /**
   * The steps are at rest, or were given up. The promise of start() is returned to be settled, once: nobody joins it any
   * more.
   */
  stepsEnded(): Deferred | undefined {
    this.#stepsOver.resolve()
    const promise = this.#promise
    this.#promise = undefined
    return promise
  }

  observedBy(observer: StepsObserver<StartPhase> | undefined): void {
    this.#observer = observer
  }

  /** Who wants to know of it, if anybody does. */
  get observer(): StepsObserver<StartPhase> | undefined {
    return this.#observer
  }

  /** A child has something ready for its start, to be discarded if that does not come. */
  childPrepared(child: ServiceNode): void {
    this.#prepared ??= []
    this.#prepared.push(child)
  }

  /** The children that were prepared, each once. */
  takePrepared(): readonly ServiceNode[] {
    return this.#prepared?.splice(0) ?? []
  }

  #goTo(stage: number): void {
    checkStage('a start', STAGES, this.#stage, stage)
    this.#stage = stage
  }
}
