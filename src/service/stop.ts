import type { Budget } from '../base/budget.ts'
import { Deferred } from '../base/deferred.ts'
import { combineErrors } from '../errors/describe.ts'
import type { TeardownRecord } from '../wire/records.ts'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'
import { settleStart } from './settle-start.ts'
import { discardPrepared } from './prepare.ts'
import { lifeObserver } from './observer.ts'
import { StopSteps } from './stop-steps.ts'
import { teardownRecord } from './teardown-record.ts'

/**
 * Stops the subtree, or joins the stop or the teardown under way. Undefined when there is nothing to stop; else the
 * errors of the stop, which for a crashed service are logged instead.
 */
export function stopNode(node: ServiceNode, budget: Budget): Promise<unknown[]> | undefined {
  if (!node.inRun) return undefined
  const { run } = node
  const { stop } = run
  stop.wantedWithin(budget)
  if (stop.down) return stop.down
  if (node.awaitsTurn) {
    // Marked with what is above or beside it, and its turn has come. Known before the first hook runs: what that hook
    // asks for joins this teardown.
    stop.scheduled('turn', teardown(node, run))
    return stop.down
  }
  // Known before anyone is told: a listener that calls stop() again joins this one.
  const told = new Deferred()
  stop.scheduled('asked', teardown(node, run, told.promise))
  const wasStarting = node.state === 'starting'
  // The log hears of it before those whom the signal wakes can say something.
  node.lifecycle.logStep('Stopping...')
  node.transition('stopping')
  told.resolve()
  if (wasStarting) interruptStartingChildren(node, stop.budgetFor(node.clock))
  return stop.down
}

/**
 * What starts below has to hear of the stop now, or its hooks would wait for what nobody wants any more; its own steps
 * of stop wait for their turn.
 */
function interruptStartingChildren(node: ServiceNode, budget: Budget): void {
  for (const child of node.children) {
    child.cancelRestart()
    if (child.state !== 'starting') continue
    child.run.stop.interruptedWithin(budget)
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
  if (!node.hasChildren) return false
  for (const child of node.eachChild()) if (child.inRun || isAnyUpBelow(child)) return true
  return false
}

/** The order is that of hooks: a thread may end while the next in line stops. */
async function hooksDone(run: Run, stopping: Promise<unknown>): Promise<void> {
  await Promise.race([stopping, run.stop.untilHooksDone()])
}

/** Stops what is below; returns the errors of that. */
async function stopChildren(node: ServiceNode, run: Run, budget: Budget): Promise<unknown[]> {
  const from = node.clock.now()
  run.stop.entered('children')
  const outcomes: (unknown[] | Promise<unknown[]>)[] = []
  let before: Promise<unknown> | undefined
  for (const child of inStopOrder(node)) {
    child.cancelRestart()
    const stopping = stopNode(child, budget)
    if (!stopping) continue
    if (!before && !child.lifecycle.release) {
      outcomes.push(await stopping)
      continue
    }
    child.run.stop.turnCame(before)
    await hooksDone(child.run, stopping)
    outcomes.push(stopping)
    before = stopping
  }
  const errors: unknown[] = []
  for (const outcome of outcomes) errors.push(...(outcome instanceof Promise ? await outcome : outcome))
  run.stop.took('children', node.clock.now() - from)
  return errors
}

/** What start is in has to come to rest first. */
async function endStart(run: Run, steps: StopSteps, budget: Budget): Promise<void> {
  const { phase, stepsOver, atRest } = run.start
  // Now: a hook that is waited for may take its time.
  const discarded = discardPrepared(run)
  if (phase === 'children') {
    // A child that outlives the budget is named by its own teardown.
    await budget.within(stepsOver)
  } else if (run.stop.cameInTurn && budget.spent && !atRest) {
    // It had all the budget while what is above it waited for it: the grace is for the steps that remain.
    steps.overrun(phase)
  } else {
    await steps.take(phase, () => stepsOver)
  }
  await discarded
}

/**
 * The steps of stop in their order (STOP_STEPS), in a later turn than this one and after `before`; an error in one does
 * not skip the others. Never rejects.
 */
export async function teardown(node: ServiceNode, run: Run, before?: Promise<unknown>): Promise<unknown[]> {
  await before
  run.stop.began(lifeObserver()?.stopping(node))
  const { lifecycle, clock } = node
  const budget = run.stop.budgetFor(clock)
  const steps = new StopSteps(node, run, budget)
  const ofChildren: unknown[] = []
  const beganAt = clock.now()

  if (!run.stop.isTold) lifecycle.logStep('Stopping...')
  if (!run.start.reachedRunning) await endStart(run, steps, budget)
  // Given up or over: start() must not wait for a hook that was abandoned.
  settleStart(node, run)
  if (lifecycle.drain) {
    const what = (): string => lifecycle.describeDrain?.() ?? 'drain'
    await steps.take('drain', () => lifecycle.drain?.(budget), what)
  }
  if (run.start.hooksDue) await steps.take('onStop', () => lifecycle.stop(budget))
  if (node.hasChildren) ofChildren.push(...(await stopChildren(node, run, budget)))

  run.work.cancel()
  lifecycle.logStep('Stopped')
  // Without onStop nobody was told that a shutdown is waited for.
  if (run.start.hooksDue && lifecycle.shutdownPolicy.wait) await steps.waitForShutdown()
  const work = run.work.settled()
  if (work) {
    const pending = (): string => `${run.work.pending.join(', ')} (task or future)`
    await steps.take('futures', () => work, pending)
  } else {
    run.stop.took('futures', 0)
  }
  run.work.close()
  // What tasks and hooks have started by themselves since then.
  if (isAnyUpBelow(node)) ofChildren.push(...(await stopChildren(node, run, budget)))
  if (run.hasResources) await disposeAll(run, steps)
  if (lifecycle.release)
    await steps.take('threadExit', () => lifecycle.release?.(budget, () => run.stop.hooksDone()))
  if (run.start.hooksDue) await steps.take('onShutdown', () => lifecycle.shutdown())
  if (run.hasResources) await disposeAll(run, steps)
  // All hooks are through: the next in line may go on, but states are told in the order of the stop.
  run.stop.hooksDone()
  if (run.stop.before) await run.stop.before
  // Somebody may have started one that had its turn already, and a crash since then counts on this teardown for it.
  // From here to the end of the run nothing is awaited.
  while (isAnyUpBelow(node)) ofChildren.push(...(await stopChildren(node, run, budget)))
  lifecycle.logStep('Shutdown complete!')

  const own = teardownRecord(node, run, { beganAt, totalMs: clock.now() - beganAt, met: steps.met })
  const record = lifecycle.amendRecord?.(own) ?? own
  node.tornDown(record)
  node.dropChildrenOf(run)
  run.stop.runIsOver()
  if (node.state === 'crashed') {
    for (const { error, phase } of steps.met) lifecycle.problem(error, `${phase} failed during the teardown`)
    // Of those that had stopped before the crash: nobody else is told.
    for (const error of ofChildren) lifecycle.problem(error, 'A child met an error while stopping')
    lifecycle.ended?.()
    node.beacon.changed()
    ended(node, run, { record, errors: steps.met.map(({ error }) => error) })
    return []
  }
  lifecycle.ended?.()
  node.transition('stopped')
  const errors = [...steps.met.map(({ error }) => error), ...ofChildren]
  ended(node, run, { record, errors })
  return errors
}

function ended(
  node: ServiceNode,
  { stop }: Run,
  { record, errors }: { record: TeardownRecord; errors: readonly unknown[] },
): void {
  stop.allWereTold()
  if (!stop.observer) return
  const error = combineErrors(errors, `${node.beacon.path} met ${errors.length} errors while stopping`)
  stop.observer.ended(errors.length > 0 ? { error } : undefined, record.phases)
}

async function disposeAll(run: Run, steps: StopSteps): Promise<void> {
  for (let resource = run.takeResource(); resource; resource = run.takeResource()) {
    const last = resource
    await steps.take('resources', () => dispose(last))
  }
}

function dispose(resource: Disposable | AsyncDisposable): unknown {
  if (Symbol.asyncDispose in resource) return resource[Symbol.asyncDispose]()
  return resource[Symbol.dispose]()
}
