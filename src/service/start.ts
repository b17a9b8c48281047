import { bulkheadError, isAbortError, isBulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { nextTurn } from '../base/clock.ts'
import { Deferred } from '../base/deferred.ts'
import type { WorkDefinition } from '../schedule/metadata.ts'
import { refuseWhileLoading } from './loading.ts'
import { type ServiceNode, nodeOf } from './node.ts'
import type { StartOutcome, StartPhase, StartRecord } from '../wire/records.ts'
import type { Run } from './run.ts'
import { settleStart } from './settle-start.ts'
import { Preparation } from './prepare.ts'
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
    await node.run.starting?.promise
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
  return bulkheadError('ERR_START_FAILED', { service, reason: describe(error) }, { cause: error, service })
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
  // Set before the first step: who is told of it, a listener say, may join it.
  const starting = new Deferred()
  run.starting = starting
  run.startedAt = node.clock.now()
  // Who listens to the change belongs to the time it takes, too.
  run.start.enter(run.startPhase, run.startedAt)
  node.transition('starting')
  void runStartSteps(node, run, restart)
  return starting.promise
}

function stepFailed(node: ServiceNode, run: Run, error: unknown): void {
  if (node.run !== run || node.state !== 'starting') {
    // A stop or a crash came first, and is what start() reports.
    const cause = isBulkheadError(error, 'ERR_START_FAILED') ? error.cause : error
    const told =
      isAbortError(cause) ||
      isBulkheadError(cause, 'ERR_STOPPED_WHILE_STARTING') ||
      (run.crashedWith !== undefined && cause === run.crashedWith.reason)
    if (!told) node.lifecycle.problem(error, `${run.startPhase} failed while stopping`)
    return
  }
  run.crashedWith = { reason: error, inStart: true }
  run.crashBeganHere = run.startPhase !== 'children'
  node.crashReason = error
  // In a turn of its own, so that listeners hear of the failure before its teardown begins.
  run.down = teardown(node, run, Promise.resolve())
  node.transition('crashed', error)
}

/** Known by its name: what was added later replaces the work, in the place of the earlier one. */
function tasksOf(node: ServiceNode, run: Run): readonly WorkDefinition[] {
  const tasks = node.lifecycle.tasks()
  if (run.definitions.length === 0 && tasks.length < 2) return tasks
  return [...new Map([...tasks, ...run.definitions].map((task) => [task.name, task])).values()]
}

/** One for all: it never rejects, and nothing is kept by it. */
const A_MOMENT = Promise.resolve()

/** The steps of start, in their order, each of them only if neither a stop nor a crash came in the one before. */
async function runStartSteps(node: ServiceNode, run: Run, restart: boolean): Promise<void> {
  const { lifecycle } = node
  const going = (): boolean => node.run === run && node.state === 'starting'
  const enter = (phase: StartPhase): boolean => {
    if (!going()) return false
    run.phase = run.startPhase = phase
    run.start.enter(phase, node.clock.now())
    return true
  }
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
      node.firstStartDone = true
      await lifecycle.firstStart()
    }
    if (!enter('onStart')) return
    lifecycle.logStep('Starting...')
    await lifecycle.start({ restart })
    // Owed from here on, also when a stop or a crash arrived while it ran.
    run.hooksDue = true
    if (!going()) return
    for (const definition of tasksOf(node, run)) run.work.startTask(definition)
    run.tasksStarted = true
    const { begun } = run.work
    if (begun > 0) {
      if (!enter('tasks')) return
      // What fails at once fails the start, however little there is left to wait for.
      await nextTurn()
    }
    if (node.hasChildren) {
      const preparation = new Preparation(node, run)
      // The iterator is live: what a task adds while an earlier child starts has its turn too.
      for (const child of node.eachChild()) {
        if (!enter('children')) return
        try {
          const starting = startOrJoin(child)
          preparation.turnOf(child)
          await starting
        } catch (error) {
          throw startFailed(child, error)
        }
      }
    }
    if (!going()) return
    // Nothing is awaited from the last look at the children to onStarted: who adds one until then leaves it to the loop.
    lifecycle.logStep('Started')
    if (!enter('onStarted')) return
    await lifecycle.started()
    if (run.work.begun > begun) await nextTurn()
    // Looked at once more: a stop or a crash may come between the end of the step and here.
    if (!going()) return
    run.start.end(node.clock.now())
    run.reachedRunning = true
    node.transition('running')
  } catch (error) {
    stepFailed(node, run, error)
  } finally {
    run.atRest = true
    run.start.end(node.clock.now())
    // The teardown does it too, when it gives up a hook that outlives the budget: start() settles all the same.
    settleStart(node, run)
  }
}

/** How a service began in the start of the one above it that began at `since`. */
export function startRecordOf(node: ServiceNode, since = node.run.startedAt): StartRecord {
  const { run, lifecycle } = node
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
  return lifecycle.amendStartRecord?.(record) ?? record
}

function outcomeOf({ run, state }: ServiceNode, since: number): StartOutcome {
  // An earlier run that is over is no news.
  if (!run.begun || (run.over && run.startedAt < since)) return 'not-started'
  if (run.reachedRunning) return 'running'
  return run.crashedWith || state === 'crashed' ? 'failed' : 'stopped'
}
