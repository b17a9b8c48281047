import { bulkheadError, isAbortError, isBulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { nextTurn } from '../base/clock.ts'
import { Deferred, ignoreRejection, isPromiseLike } from '../base/deferred.ts'
import type { WorkDefinition } from '../schedule/metadata.ts'
import { refuseWhileLoading } from './loading.ts'
import { type ServiceNode, nodeOf } from './node.ts'
import type { StartOutcome, StartPhase, StartRecord } from './record.ts'
import type { Run } from './run.ts'
import { startChildren } from './start-children.ts'
import { teardown } from './stop.ts'

/** Whether start() is legal now. */
function canStart(node: ServiceNode): boolean {
  return !node.inRun && node.restarting?.cancelled !== false
}

export async function startNode(node: ServiceNode): Promise<void> {
  refuseWhileLoading()
  if (!canStart(node)) throw invalidState(node, 'start')
  return beginStart(node, { restart: false })
}

/** Starts it unless it is up; joins a start under way. True when this call started it. */
export async function maybeStartNode(node: ServiceNode): Promise<boolean> {
  if (node.restarting?.cancelled === false && node.state !== 'running') {
    await node.restarting.promise
    return false
  }
  if (node.state === 'running') return false
  if (node.state === 'starting') {
    await node.run.starting
    return false
  }
  await startNode(node)
  return true
}

/** Starts a child on its parent's behalf: a failure is told once, however deep it was. */
export async function startChild(child: ServiceNode): Promise<void> {
  try {
    await maybeStartNode(child)
  } catch (error) {
    if (isBulkheadError(error, 'ERR_START_FAILED')) throw error
    const service = child.beacon.path
    throw bulkheadError('ERR_START_FAILED', { service, reason: describe(error) }, { cause: error, service })
  }
}

export function invalidState(node: ServiceNode, verb: string): Error {
  const state = node.state === 'crashed' ? 'crashed and still being torn down' : node.state
  return bulkheadError(
    'ERR_INVALID_STATE',
    { verb, service: node.beacon.path, state },
    { service: node.beacon.path },
  )
}

/** The run from its first step until it is running, or down again. */
export function beginStart(node: ServiceNode, { restart }: { restart: boolean }): Promise<void> {
  const run = node.freshRun()
  node.crashReason = undefined
  node.lastTeardown = undefined
  if (restart) node.restartCount += 1
  const starting = new Deferred()
  // Set before the first step: who is told of it, a listener say, may join it.
  run.starting = starting.promise
  climb(node, run, restart).then(starting.resolve, starting.reject)
  // The caller has this very promise; those who join it later, or nobody, must not make it unhandled.
  ignoreRejection(run.starting)
  return run.starting
}

async function climb(node: ServiceNode, run: Run, restart: boolean): Promise<void> {
  run.startedAt = node.clock.now()
  // Who listens to the change belongs to the time it takes, too.
  run.start.enter(run.startPhase, run.startedAt)
  node.transition('starting')
  void comeToRest(node, run, restart)
  // The teardown resolves it too, when it gives up a hook that outlives the budget: start() settles all the same.
  await run.stepsOver.promise
  if (run.reachedRunning) return
  await run.down
  if (run.crashedWith) throw run.crashedWith.reason
  throw bulkheadError(
    'ERR_STOPPED_WHILE_STARTING',
    { service: node.beacon.path },
    { service: node.beacon.path },
  )
}

async function comeToRest(node: ServiceNode, run: Run, restart: boolean): Promise<void> {
  try {
    await takeSteps(node, run, restart)
  } catch (error) {
    stepFailed(node, run, error)
  }
  run.atRest = true
  run.start.end(node.clock.now())
  run.stepsOver.resolve()
}

function stepFailed(node: ServiceNode, run: Run, error: unknown): void {
  if (node.run !== run || node.state !== 'starting') {
    // A stop or a crash came first, and is what start() reports.
    const cause = isBulkheadError(error, 'ERR_START_FAILED') ? error.cause : error
    const told =
      isAbortError(cause) ||
      isBulkheadError(cause, 'ERR_STOPPED_WHILE_STARTING') ||
      (run.crashedWith !== undefined && cause === run.crashedWith.reason)
    if (!told) node.body.problem(error, `${run.startPhase} failed while stopping`)
    return
  }
  run.crashedWith = { reason: error, inStart: true }
  run.crashBeganHere = run.startPhase !== 'children'
  node.crashReason = error
  // In a turn of its own, so that listeners hear of the failure before its teardown begins.
  run.down = Promise.resolve().then(() => teardown(node, run))
  node.transition('crashed', error)
}

/** Known by its name: what was added later replaces the work, in the place of the earlier one. */
function tasksOf(node: ServiceNode, run: Run): readonly WorkDefinition[] {
  const tasks = node.body.tasks()
  if (run.definitions.length === 0 && tasks.length < 2) return tasks
  return [...new Map([...tasks, ...run.definitions].map((task) => [task.name, task])).values()]
}

async function takeSteps(node: ServiceNode, run: Run, restart: boolean): Promise<void> {
  const { body } = node
  const going = (): boolean => node.run === run && node.state === 'starting'
  const enter = (phase: StartPhase): boolean => {
    if (!going()) return false
    run.phase = run.startPhase = phase
    run.start.enter(phase, node.clock.now())
    return true
  }
  const step = (phase: StartPhase, work: () => unknown): Promise<boolean> | boolean => {
    if (!enter(phase)) return false
    const result = work()
    return isPromiseLike(result) ? Promise.resolve(result).then(going) : going()
  }

  if (!(await step('postInit', () => body.postInit()))) return
  if (restart && !(await step('onRestart', () => body.restart()))) return
  if (!enter('onInitDependencies')) return
  for (const dependency of body.dependencies()) node.addChild(nodeOf(dependency))
  if (!going()) return
  if (!node.firstStartDone) {
    node.firstStartDone = true
    if (!(await step('onFirstStart', () => body.firstStart()))) return
  }
  if (!enter('onStart')) return
  body.lifecycle('Starting...')
  await body.start({ restart })
  // Owed from here on, also when a stop or a crash arrived while it ran.
  run.hooksDue = true
  if (!going()) return
  const tasks = tasksOf(node, run)
  for (const definition of tasks) run.work.startTask(definition)
  run.tasksStarted = true
  // A task that fails at once fails the start, however little there is left to wait for.
  if (tasks.length > 0 && !(await step('tasks', nextTurn))) return
  const startNext = (child: ServiceNode): Promise<boolean> | boolean =>
    step('children', () => startChild(child))
  if (node.hasChildren && !(await startChildren(node, run, startNext))) return
  if (!going()) return
  body.lifecycle('Started')
  // Looked at once more: a stop or a crash may come between the end of the step and here.
  if (!(await step('onStarted', () => body.started())) || !going()) return
  run.start.end(node.clock.now())
  run.reachedRunning = true
  node.transition('running')
}

/** How a service began in the start of the one above it that began at `since`. */
export function startRecordOf(node: ServiceNode, since = node.run.startedAt): StartRecord {
  const { run, body } = node
  const outcome = outcomeOf(node, since)
  const { steps, totalMs } = run.start.soFar(node.clock.now())
  const record: StartRecord = {
    path: node.beacon.path,
    label: node.owner.label,
    isolation: 'inline',
    outcome,
    beganAt: run.startedAt,
    totalMs,
    phases: outcome === 'not-started' ? {} : steps,
    children: node.children.map((child) => startRecordOf(child, since)),
  }
  return body.amendStartRecord?.(record) ?? record
}

function outcomeOf({ run, state }: ServiceNode, since: number): StartOutcome {
  // An earlier run that is over is no news.
  if (!run.begun || (run.over && run.startedAt < since)) return 'not-started'
  if (run.reachedRunning) return 'running'
  return run.crashedWith || state === 'crashed' ? 'failed' : 'stopped'
}
