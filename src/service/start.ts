import { bulkheadError, isAbortError, isBulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { nextTurn } from '../base/clock.ts'
import { refuseWhileLoading } from './loading.ts'
import { type ServiceNode, nodeOf } from './node.ts'
import type { StartPhase } from '../wire/records.ts'
import { lifeObserver } from './observer.ts'
import type { Run } from './run.ts'
import { settleStart } from './settle-start.ts'
import { Preparation } from './prepare.ts'
import { teardown } from './stop.ts'
import { tasksOf } from './work.ts'

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
    await node.run.start.promise
    return false
  }
  await startNode(node)
  return true
}

/** Starts a child on its parent's behalf. */
export async function startChild(child: ServiceNode): Promise<void> {
  try {
    await startOrJoin(child)
  } catch (error) {
    throw startFailed(child, error)
  }
}

function startOrJoin(child: ServiceNode): Promise<unknown> {
  refuseWhileLoading()
  // The usual case: nothing to join.
  return canStart(child) && !child.restarting ? beginStart(child, { restart: false }) : maybeStartNode(child)
}

/** A failure is told once, however deep it was. */
function startFailed(child: ServiceNode, error: unknown): unknown {
  if (isBulkheadError(error, 'ERR_START_FAILED')) return error
  const service = child.beacon.path
  return bulkheadError('ERR_START_FAILED', { service, reason: describe(error) }, { cause: error })
}

export function invalidState(node: ServiceNode, verb: string): Error {
  const state = node.state === 'crashed' ? 'crashed and still being torn down' : node.state
  return bulkheadError('ERR_INVALID_STATE', { verb, service: node.beacon.path, state })
}

/** The run from its first step until it is running, or down again. */
export function beginStart(node: ServiceNode, { restart }: { restart: boolean }): Promise<void> {
  const run = node.startBegins({ restart })
  // Before the change of state: who is told of that, a listener say, may join it.
  const starting = run.start.startCalled(node.clock.now())
  node.transition('starting')
  // After it: whoever is told may steer the service. One that is over by then is not told of.
  if (run.start.promise) run.start.observedBy(lifeObserver()?.starting(node))
  void runStartSteps(node, run, restart)
  return starting
}

function stepFailed(node: ServiceNode, run: Run, error: unknown): void {
  if (node.run !== run || node.state !== 'starting') {
    // A stop or a crash came first, and is what start() reports.
    const cause = isBulkheadError(error, 'ERR_START_FAILED') ? error.cause : error
    const told =
      isAbortError(cause) ||
      isBulkheadError(cause, 'ERR_STOPPED_WHILE_STARTING') ||
      (run.crash !== undefined && cause === run.crash.reason)
    if (!told) node.lifecycle.problem(error, `${run.start.phase} failed while stopping`)
    return
  }
  run.crashed({ reason: error, inStart: true, beganHere: run.start.phase !== 'children' })
  // The teardown takes its first step in a turn of its own: listeners hear of the failure before that.
  run.stop.scheduled('failed start', teardown(node, run))
  node.transition('crashed', error)
}

/** One for all: it never rejects, and nothing is kept by it. */
const A_MOMENT = Promise.resolve()

/** The steps of start, in their order, each of them only if neither a stop nor a crash came in the one before. */
async function runStartSteps(node: ServiceNode, run: Run, restart: boolean): Promise<void> {
  const { lifecycle } = node
  const going = (): boolean => node.run === run && node.state === 'starting'
  const enter = (phase: StartPhase): boolean => {
    if (!going()) return false
    run.start.entered(phase, node.clock.now())
    return true
  }
  let child: ServiceNode | undefined
  try {
    if (!enter('postInit')) return
    lifecycle.postInit()
    // Whoever stops it in the turn of its start is in time: no other hook has run.
    await A_MOMENT
    if (restart) {
      if (!enter('onRestart')) return
      await lifecycle.restart()
    }
    if (!enter('onInitDependencies')) return
    for (const dependency of lifecycle.dependencies()) node.addChild(nodeOf(dependency))
    if (!node.firstStartDone) {
      if (!enter('onFirstStart')) return
      node.firstStartBegins()
      await lifecycle.firstStart()
    }
    if (!enter('onStart')) return
    lifecycle.logStep('Starting...')
    await lifecycle.start({ restart })
    // Owed from here on, also when a stop or a crash arrived while it ran.
    run.start.onStartReturned()
    if (!going()) return
    for (const definition of tasksOf(node, run)) run.work.startTask(definition)
    run.start.tasksBegan()
    const { begun } = run.work
    if (begun > 0) {
      if (!enter('tasks')) return
      // What fails at once fails the start, however little there is left to wait for.
      await nextTurn()
    }
    if (node.hasChildren) {
      const preparation = new Preparation(node, run)
      // The iterator is live: what a task adds while an earlier child starts has its turn too.
      for (child of node.eachChild()) {
        if (!enter('children')) return
        const starting = startOrJoin(child)
        preparation.turnOf(child)
        await starting
      }
      child = undefined
    }
    if (!going()) return
    // Nothing is awaited from the last look at the children to onStarted: who adds one until then leaves it to the loop.
    lifecycle.logStep('Started')
    if (!enter('onStarted')) return
    await lifecycle.started()
    if (run.work.begun > begun) await nextTurn()
    // Looked at once more: a stop or a crash may come between the end of the step and here.
    if (!going()) return
    run.start.stepsSucceeded(node.clock.now())
    node.transition('running')
  } catch (error) {
    stepFailed(node, run, child ? startFailed(child, error) : error)
  } finally {
    run.start.cameToRest(node.clock.now())
    // The teardown does it too, when it gives up a hook that outlives the budget: start() settles all the same.
    settleStart(node, run)
  }
}
