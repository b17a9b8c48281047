import { Budget } from '../base/budget.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { bulkheadError, isBulkheadError } from '../errors/bulkhead-error.ts'
import type { ServiceNode } from './node.ts'
import { type Outcome, type StopPhase, type TeardownRecord, STOP_PHASES, describeError } from './record.ts'
import type { Run } from './run.ts'

/**
 * Stops the subtree, or joins the stop or the teardown under way. Undefined when there is nothing to stop; else the
 * errors of the stop, which for a crashed service are logged instead.
 */
export function stopNode(node: ServiceNode, budget: Budget): Promise<unknown[]> | undefined {
  if (!node.inRun) return undefined
  const { run } = node
  if (run.budget) budget.lead(run.budget)
  else run.budget = budget
  if (run.down) return run.down
  if (node.awaitsTurn) {
    // Marked with what is above or beside it, and its turn has come. Assigned before the first hook runs: what that
    // hook asks for joins this teardown.
    run.marked = true
    run.down = Promise.resolve().then(() => teardown(node, run))
    return run.down
  }
  // Assigned before anyone is told: a listener that calls stop() again joins this one.
  let begin!: () => void
  run.down = new Promise<void>((resolve) => (begin = resolve)).then(() => teardown(node, run))
  const wasStarting = node.state === 'starting'
  // The log hears of it before those whom the signal wakes can say something.
  run.stopTold = true
  node.body.lifecycle('Stopping...')
  node.transition('stopping')
  begin()
  if (wasStarting) interruptStartingChildren(node, run.budget)
  return run.down
}

/**
 * What starts below has to hear of the stop now, or its hooks would wait for what nobody wants any more; its own steps
 * of stop wait for their turn.
 */
function interruptStartingChildren(node: ServiceNode, budget: Budget): void {
  for (const child of node.children) {
    child.cancelRestart()
    if (child.state !== 'starting') continue
    child.run.budget ??= budget
    child.transition('stopping')
    interruptStartingChildren(child, budget)
  }
}

/** The topmost of those that go down together with `node`. */
export function topOfTeardown(node: ServiceNode): ServiceNode {
  let top = node
  while (top.parent?.inRun && top.parent.shouldStop) top = top.parent
  return top
}

/** The children, and what is below one that is down: somebody may have started that by itself, and who else stops it? */
function* inStopOrder(parent: ServiceNode): Generator<ServiceNode> {
  for (const child of parent.children.toReversed()) {
    const { inRun } = child
    yield child
    if (!inRun) yield* inStopOrder(child)
  }
}

function isAnyUpBelow(node: ServiceNode): boolean {
  for (const child of node.eachChild()) if (child.inRun || isAnyUpBelow(child)) return true
  return false
}

/** Thrown by a step that has met more than one. */
export class SeveralErrors {
  readonly errors: readonly unknown[]
  constructor(errors: readonly unknown[]) {
    this.errors = errors
  }
}

/** The order is that of hooks: a thread may end while the next in line stops. */
async function worked(run: Run, stopping: Promise<unknown>): Promise<void> {
  await Promise.race([stopping, new Promise<void>((resolve) => (run.worked = resolve))])
}

/** The steps of stop, in their order; an error in one does not skip the others. Never rejects. */
export async function teardown(node: ServiceNode, run: Run): Promise<unknown[]> {
  const { body, clock } = node
  const budget = (run.budget ??= new Budget(clock))
  const own: { error: unknown; phase: string }[] = []
  const ofChildren: unknown[] = []
  const beganAt = clock.instant()
  const began = clock.now()

  /** `describeOverrun` is asked only if the budget gives the step up. */
  const step = async (phase: string, work: () => unknown, describeOverrun?: () => string): Promise<void> => {
    const from = clock.now()
    run.phase = phase
    try {
      const result = work()
      // Ending threads is no user's code: it is over soon, and nothing may go on before they are gone.
      if (body.keepsBudget || phase === 'threadExit') await result
      else if (isPromiseLike(result) && !(await budget.within(result))) {
        own.push({ phase, error: overrun(node, phase, describeOverrun?.() ?? phase, budget) })
      }
    } catch (error) {
      for (const one of error instanceof SeveralErrors ? error.errors : [error])
        own.push({ phase, error: one })
    }
    if (isStopPhase(phase)) run.phases[phase] = (run.phases[phase] ?? 0) + clock.now() - from
  }

  if (!run.stopTold) body.lifecycle('Stopping...')
  const { startPhase } = run
  if (run.reachedRunning) {
    // Nothing of start is left.
  } else if (startPhase === 'children') {
    // A child that outlives the budget is named by its own teardown.
    await budget.within(run.stepsOver.promise)
  } else if (run.marked && budget.spent && !run.atRest) {
    // It had all the budget while what is above it waited for it: the grace is for the steps that remain.
    own.push({ phase: startPhase, error: overrun(node, startPhase, startPhase, budget) })
  } else {
    await step(startPhase, () => run.stepsOver.promise)
  }
  // Given up or over: start() must not wait for a hook that was abandoned.
  run.stepsOver.resolve()
  if (body.drain) {
    await step(
      'drain',
      () => body.drain?.(budget),
      () => body.describeDrain?.() ?? 'drain',
    )
  }
  if (run.hooksDue) await step('onStop', () => body.stop(budget))

  const stopChildren = async (): Promise<void> => {
    const from = clock.now()
    run.phase = 'children'
    const outcomes: (unknown[] | Promise<unknown[]>)[] = []
    for (const child of inStopOrder(node)) {
      child.cancelRestart()
      const stopping = stopNode(child, budget)
      if (!stopping) continue
      if (child.body.release) await worked(child.run, stopping)
      outcomes.push(child.body.release ? stopping : await stopping)
    }
    for (const outcome of outcomes) ofChildren.push(...(outcome instanceof Promise ? await outcome : outcome))
    run.phases.children = (run.phases.children ?? 0) + clock.now() - from
  }
  await stopChildren()

  run.work.cancel()
  body.lifecycle('Stopped')
  // Without onStop nobody was told that a shutdown is waited for.
  if (body.shutdownPolicy.wait && run.hooksDue) await shutdownStep(node, run, step, own)
  await step(
    'futures',
    () => run.work.settled(),
    () => `${run.work.pending.join(', ')} (task or future)`,
  )
  run.work.close()
  // What tasks and hooks have started by themselves since then.
  if (isAnyUpBelow(node)) await stopChildren()
  const disposeAll = async (): Promise<void> => {
    for (let resource = run.resources.pop(); resource; resource = run.resources.pop()) {
      const last = resource
      await step('resources', () => dispose(last))
    }
  }
  await disposeAll()
  if (body.release) await step('threadExit', () => body.release?.(budget, () => run.worked?.()))
  if (run.hooksDue) await step('onShutdown', () => body.shutdown())
  await disposeAll()
  // Somebody may have started one that had its turn already, and a crash since then counts on this teardown for it.
  // From here to the end of the run nothing is awaited.
  while (isAnyUpBelow(node)) await stopChildren()
  body.lifecycle('Shutdown complete!')

  const record = teardownRecord(node, run, { beganAt, totalMs: clock.now() - began, own })
  node.lastTeardown = body.amendRecord?.(record) ?? record
  node.dropChildrenOf(run)
  run.over = true
  if (node.state === 'crashed') {
    for (const { error, phase } of own) body.problem(error, `${phase} failed during the teardown`)
    // Of those that had stopped before the crash: nobody else is told.
    for (const error of ofChildren) body.problem(error, 'A child met an error while stopping')
    body.ended?.()
    node.beacon.changed()
    run.ended.resolve()
    return []
  }
  body.ended?.()
  node.transition('stopped')
  run.ended.resolve()
  return [...own.map(({ error }) => error), ...ofChildren]
}

async function shutdownStep(
  node: ServiceNode,
  run: Run,
  step: (phase: string, work: () => unknown, describeOverrun?: () => string) => Promise<void>,
  own: { error: unknown; phase: string }[],
): Promise<void> {
  const service = node.beacon.path
  const phase = 'waitForShutdown'
  let cancelTimer: (() => void) | undefined
  await step(phase, () => {
    const timeout = toMilliseconds(node.body.shutdownPolicy.timeout)
    const tooLate = new Promise<void>((resolve) => {
      cancelTimer = node.clock.after(timeout, () => {
        const error = bulkheadError('ERR_SHUTDOWN_TIMEOUT', { service, timeout }, { service, phase })
        own.push({ phase, error })
        resolve()
      })
    })
    return Promise.race([run.shutdown.promise, tooLate])
  })
  cancelTimer?.()
}

function overrun(node: ServiceNode, phase: string, what: string, budget: Budget): Error {
  const service = node.beacon.path
  return bulkheadError('ERR_STOP_TIMEOUT', { service, what, timeout: budget.timeout }, { service, phase })
}

function teardownRecord(
  node: ServiceNode,
  run: Run,
  facts: { beganAt: number; totalMs: number; own: { error: unknown; phase: string }[] },
): TeardownRecord {
  const outcome: Outcome = run.crashBeganHere
    ? 'crashed'
    : facts.own.some(({ error }) => isBulkheadError(error, 'ERR_STOP_TIMEOUT'))
      ? 'timed-out'
      : 'clean'
  const errors = facts.own.map(({ error, phase }) => describeError(error, phase))
  if (run.crashBeganHere) {
    errors.unshift(describeError(run.crashedWith?.reason, run.reachedRunning ? 'crash' : run.startPhase))
  }
  const { beganAt, totalMs } = facts
  const children = node.children.map(recordOf)
  return { ...identity(node), outcome, beganAt, totalMs, phases: { ...run.phases }, errors, children }
}

/** How the last run of a service ended, or that there was none. */
export function recordOf(node: ServiceNode): TeardownRecord {
  return (
    node.lastTeardown ?? {
      ...identity(node),
      outcome: 'not-started',
      beganAt: 0,
      totalMs: 0,
      phases: {},
      errors: [],
      children: node.children.map(recordOf),
    }
  )
}

function identity(node: ServiceNode): Pick<TeardownRecord, 'path' | 'label' | 'isolation'> {
  return { path: node.beacon.path, label: node.owner.label, isolation: 'inline' }
}

function isStopPhase(phase: string): phase is StopPhase {
  return (STOP_PHASES as readonly string[]).includes(phase)
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function dispose(resource: Disposable | AsyncDisposable): unknown {
  if (Symbol.asyncDispose in resource) return resource[Symbol.asyncDispose]()
  return resource[Symbol.dispose]()
}
