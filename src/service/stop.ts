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
  if (node.state === 'crashed') {
    // Marked by a crash above or beside it, and its turn has come.
    run.down = teardown(node, run)
    return run.down
  }
  // Assigned before anyone is told: a listener that calls stop() again joins this one.
  let begin!: () => void
  run.down = new Promise<void>((resolve) => (begin = resolve)).then(() => teardown(node, run))
  const wasStarting = node.state === 'starting'
  node.transition('stopping')
  begin()
  if (wasStarting) interruptStartingChildren(node, run, budget)
  return run.down
}

/** Only their own stop ends what they are in; waiting for their turn would wait for a start that nobody wants. */
function interruptStartingChildren(node: ServiceNode, run: Run, budget: Budget): void {
  for (const child of node.children) {
    const stopping = child.state === 'starting' ? stopNode(child, budget) : undefined
    if (stopping) run.interruptions.push(stopping)
  }
}

/** The steps of stop, in their order; an error in one does not skip the others. Never rejects. */
export async function teardown(node: ServiceNode, run: Run): Promise<unknown[]> {
  const { body, clock } = node
  const budget = (run.budget ??= new Budget(clock))
  const own: { error: unknown; phase: string }[] = []
  const ofChildren: unknown[] = []
  const beganAt = clock.wallTime()
  const began = clock.now()

  /** `describeOverrun` is asked only if the budget gives the step up. */
  const step = async (phase: string, work: () => unknown, describeOverrun?: () => string): Promise<void> => {
    const from = clock.now()
    run.phase = phase
    try {
      const result = work()
      if (isPromiseLike(result) && !(await budget.within(result))) {
        own.push({ phase, error: overrun(node, phase, describeOverrun?.() ?? phase, budget) })
      }
    } catch (error) {
      own.push({ phase, error })
    }
    if (isStopPhase(phase)) run.phases[phase] = (run.phases[phase] ?? 0) + clock.now() - from
  }

  body.lifecycle('Stopping...')
  const startedFrom = run.phase
  if (!run.reachedRunning) await step(startedFrom, () => run.stepsOver.promise)
  // Given up or over: start() must not wait for a hook that was abandoned.
  run.stepsOver.resolve()
  if (body.drain) await step('drain', () => body.drain?.(budget))
  if (run.hooksDue) await step('onStop', () => body.stop(budget))

  const childrenFrom = clock.now()
  for (const child of [...node.children].reverse()) {
    const stopping = stopNode(child, budget)
    if (stopping) ofChildren.push(...(await stopping))
  }
  for (const interrupted of await Promise.all(run.interruptions)) {
    for (const error of interrupted) if (!ofChildren.includes(error)) ofChildren.push(error)
  }
  run.phases.children = clock.now() - childrenFrom

  run.work.cancel()
  body.lifecycle('Stopped')
  if (body.shutdownPolicy.wait) await shutdownStep(node, run, step, own)
  await step(
    'futures',
    () => run.work.settled(),
    () => `${run.work.pending.join(', ')} (task or future)`,
  )
  run.work.close()
  for (const resource of run.resources.splice(0).reverse()) {
    await step('resources', () => dispose(resource))
  }
  if (run.hooksDue) await step('onShutdown', () => body.shutdown())
  body.lifecycle('Shutdown complete!')

  const record = teardownRecord(node, run, { beganAt, totalMs: clock.now() - began, own })
  node.lastTeardown = body.amendRecord?.(record) ?? record
  node.dropChildrenOf(run)
  run.over = true
  if (node.state === 'crashed') {
    for (const { error, phase } of own) body.problem(error, `${phase} failed during the teardown`)
    body.ended?.()
    node.beacon.changed()
    return []
  }
  body.ended?.()
  node.transition('stopped')
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
  if (run.crashBeganHere) errors.unshift(describeError(run.crashedWith?.reason, 'crash'))
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
