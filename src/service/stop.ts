import { Budget } from '../base/budget.ts'
import { Deferred } from '../base/deferred.ts'
import type { ServiceNode } from './node.ts'
import type { Run } from './run.ts'
import { settleStart } from './settle-start.ts'
import { discardPrepared } from './prepare.ts'
import { StopSteps } from './stop-steps.ts'
import { teardownRecord } from './teardown-record.ts'

/**
 * Stops the subtree, or joins the stop or the teardown under way. Undefined when there is nothing to stop; else the
 * errors of the stop, which for a crashed service are logged instead.
 */
export function stopNode(node: ServiceNode, budget: Budget): Promise<unknown[]> | undefined {
  if (!node.inRun) return undefined
  const { run } = node
  if (run.budget) budget.bounds(run.budget)
  else run.budget = budget
  if (run.down) return run.down
  if (node.awaitsTurn) {
    // Marked with what is above or beside it, and its turn has come. Assigned before the first hook runs: what that
    // hook asks for joins this teardown.
    run.marked = true
    run.down = teardown(node, run, Promise.resolve())
    return run.down
  }
  // Assigned before anyone is told: a listener that calls stop() again joins this one.
  const told = new Deferred()
  run.down = teardown(node, run, told.promise)
  const wasStarting = node.state === 'starting'
  // The log hears of it before those whom the signal wakes can say something.
  run.stopTold = true
  node.lifecycle.logStep('Stopping...')
  node.transition('stopping')
  told.resolve()
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
  if (!node.hasChildren) return false
  for (const child of node.eachChild()) if (child.inRun || isAnyUpBelow(child)) return true
  return false
}

/** The order is that of hooks: a thread may end while the next in line stops. */
async function hooksDone(run: Run, stopping: Promise<unknown>): Promise<void> {
  await Promise.race([stopping, new Promise<void>((resolve) => (run.hooksDone = resolve))])
}

/** Stops what is below; returns the errors of that. */
async function stopChildren(node: ServiceNode, run: Run, budget: Budget): Promise<unknown[]> {
  const from = node.clock.now()
  run.phase = 'children'
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
    child.run.before = before
    await hooksDone(child.run, stopping)
    outcomes.push(stopping)
    before = stopping
  }
  const errors: unknown[] = []
  for (const outcome of outcomes) errors.push(...(outcome instanceof Promise ? await outcome : outcome))
  run.phases.children = (run.phases.children ?? 0) + node.clock.now() - from
  return errors
}

/** What start is in has to come to rest first. */
async function endStart(run: Run, steps: StopSteps, budget: Budget): Promise<void> {
  const { startPhase } = run
  // Now: a hook that is waited for may take its time.
  const discarded = discardPrepared(run)
  if (startPhase === 'children') {
    // A child that outlives the budget is named by its own teardown.
    await budget.within(run.stepsOver.promise)
  } else if (run.marked && budget.spent && !run.atRest) {
    // It had all the budget while what is above it waited for it: the grace is for the steps that remain.
    steps.overrun(startPhase)
  } else {
    await steps.take(startPhase, () => run.stepsOver.promise)
  }
  await discarded
}

/** The steps of stop after `before`, in their order; an error in one does not skip the others. Never rejects. */
export async function teardown(node: ServiceNode, run: Run, before: Promise<unknown>): Promise<unknown[]> {
  await before
  const { lifecycle, clock } = node
  const budget = (run.budget ??= new Budget(clock))
  const steps = new StopSteps(node, run, budget)
  const ofChildren: unknown[] = []
  const beganAt = clock.now()

  if (!run.stopTold) lifecycle.logStep('Stopping...')
  if (!run.reachedRunning) await endStart(run, steps, budget)
  // Given up or over: start() must not wait for a hook that was abandoned.
  settleStart(node, run)
  if (lifecycle.drain) {
    const what = (): string => lifecycle.describeDrain?.() ?? 'drain'
    await steps.take('drain', () => lifecycle.drain?.(budget), what)
  }
  if (run.hooksDue) await steps.take('onStop', () => lifecycle.stop(budget))
  if (node.hasChildren) ofChildren.push(...(await stopChildren(node, run, budget)))

  run.work.cancel()
  lifecycle.logStep('Stopped')
  // Without onStop nobody was told that a shutdown is waited for.
  if (run.hooksDue && lifecycle.shutdownPolicy.wait) await steps.waitForShutdown()
  const work = run.work.settled()
  if (work) {
    const pending = (): string => `${run.work.pending.join(', ')} (task or future)`
    await steps.take('futures', () => work, pending)
  } else {
    run.phases.futures = 0
  }
  run.work.close()
  // What tasks and hooks have started by themselves since then.
  if (isAnyUpBelow(node)) ofChildren.push(...(await stopChildren(node, run, budget)))
  if (run.resources.length > 0) await disposeAll(run, steps)
  if (lifecycle.release)
    await steps.take('threadExit', () => lifecycle.release?.(budget, () => run.hooksDone?.()))
  if (run.hooksDue) await steps.take('onShutdown', () => lifecycle.shutdown())
  if (run.resources.length > 0) await disposeAll(run, steps)
  // All hooks are through: the next in line may go on, but states are told in the order of the stop.
  run.hooksDone?.()
  if (run.before) await run.before
  // Somebody may have started one that had its turn already, and a crash since then counts on this teardown for it.
  // From here to the end of the run nothing is awaited.
  while (isAnyUpBelow(node)) ofChildren.push(...(await stopChildren(node, run, budget)))
  lifecycle.logStep('Shutdown complete!')

  const record = teardownRecord(node, run, { beganAt, totalMs: clock.now() - beganAt, met: steps.met })
  node.lastTeardown = lifecycle.amendRecord?.(record) ?? record
  node.dropChildrenOf(run)
  run.over = true
  if (node.state === 'crashed') {
    for (const { error, phase } of steps.met) lifecycle.problem(error, `${phase} failed during the teardown`)
    // Of those that had stopped before the crash: nobody else is told.
    for (const error of ofChildren) lifecycle.problem(error, 'A child met an error while stopping')
    lifecycle.ended?.()
    node.beacon.changed()
    run.ended.resolve()
    return []
  }
  lifecycle.ended?.()
  node.transition('stopped')
  run.ended.resolve()
  return [...steps.met.map(({ error }) => error), ...ofChildren]
}

async function disposeAll(run: Run, steps: StopSteps): Promise<void> {
  for (let resource = run.resources.pop(); resource; resource = run.resources.pop()) {
    const last = resource
    await steps.take('resources', () => dispose(last))
  }
}

function dispose(resource: Disposable | AsyncDisposable): unknown {
  if (Symbol.asyncDispose in resource) return resource[Symbol.asyncDispose]()
  return resource[Symbol.dispose]()
}
