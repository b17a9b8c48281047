import { Budget } from '../base/budget.ts'
import type { ServiceNode } from '../service/node.ts'
import { restartNode } from '../service/restart.ts'
import { startNode } from '../service/start.ts'
import { stopNode } from '../service/stop.ts'
import type { ServiceLike } from '../service/types.ts'
import { type Slot, leftRunning } from './child.ts'
import type { Repair } from './repair.ts'

/** What a runner needs of the supervisor it works for. */
export interface RepairContext {
  readonly node: ServiceNode
  /** Whether this repair is still to be gone on with: false from the moment the supervisor stops, crashes, gives up. */
  wants(repair: Repair): boolean
  /** The supervised children, in order. */
  slots(): readonly Slot[]
  readonly replacement:
    | ((crashed: ServiceLike, index: number) => ServiceLike | Promise<ServiceLike>)
    | undefined
  replace(slot: Slot, replacement: ServiceLike): void
  starting(repair: Repair): void
  /** A start that failed without a change of the child's state. */
  startFailed(slot: Slot, error: unknown): void
  /** May still be running: it must not be started. */
  stuck(slot: Slot, what: { path: string; phase: string }): void
  finished(repair: Repair): void
}

/**
 * Takes the next step of a repair until nothing is left of it: what has to be stopped first, in reverse order; then the
 * wait that is due; then the starts, in order. Looks at the repair anew before each step, since every await is a chance
 * for another crash, a stop, or a child that is added or removed.
 *
 * It acts through the verbs of the nodes: the public ones return early when called from inside the service.
 */
export async function carryOut(repair: Repair, context: RepairContext): Promise<void> {
  const { clock } = context.node
  // The crash that led here is still being told: what is done about it must not get in between.
  await turnOfCrash()
  while (context.wants(repair)) {
    if (!repair.only && context.node.state === 'starting') {
      // Stopping a child that the supervisor's own start is at would make that start fail.
      await repair.pause(clock)
      continue
    }
    const slots = context.slots()
    const falling = slots.findLast((slot) => repair.stop.has(slot))
    if (falling) {
      await bringDown(falling, repair, context)
      continue
    }
    const stuck = slots.find((slot) => repair.start.has(slot) && stillThere(slot))
    if (stuck) {
      context.stuck(stuck, stillThere(stuck)!)
      return
    }
    const next = slots.find((slot) => repair.start.has(slot))
    if (!next) {
      context.finished(repair)
      return
    }
    const early = repair.dueAt - clock.now()
    if (early > 0) {
      await repair.pause(clock, early)
    } else if (!repair.announced) {
      repair.announced = true
      context.starting(repair)
    } else {
      await bringUp(next, repair, context)
    }
  }
}

/** Stops a child or joins its teardown, within `timeout` milliseconds. Resolves to the errors, never rejects. */
export async function stopChild(child: ServiceNode, own: ServiceNode, timeout: number): Promise<void> {
  const { restarting } = child
  // Somebody else's restart would start it again in the middle of the plan.
  child.cancelRestart()
  const errors = await stopNode(child, new Budget(own.clock, timeout))
  if (restarting) await settled(restarting.promise)
  for (const error of errors ?? [])
    own.lifecycle.problem(error, `${child.beacon.path} met an error while it was stopped`)
}

async function bringDown(slot: Slot, repair: Repair, { node }: RepairContext): Promise<void> {
  // Nothing waits for one that is stopped for good.
  await stopChild(slot.node, node, repair.start.size > 0 ? slot.stopTimeout : Infinity)
  repair.stop.delete(slot)
}

function stillThere({ node }: Slot): { path: string; phase: string } | undefined {
  return node.inRun ? undefined : leftRunning(node.lastTeardown)
}

async function bringUp(slot: Slot, repair: Repair, context: RepairContext): Promise<void> {
  const attempt = { slot }
  repair.current = attempt
  slot.attempt = attempt
  // By identity: an attempt that was given up may come to life again while the next one is under way.
  const wanted = (): boolean => repair.current === attempt && context.wants(repair) && repair.isStarting(slot)
  try {
    await repair.unlessOutdated(startSlot(slot, repair, context, wanted))
    // If it has crashed again meanwhile, that has been taken up, and it stands among those to stop.
    if (wanted()) repair.start.delete(slot)
  } catch (error) {
    if (wanted()) context.startFailed(slot, error)
  } finally {
    repair.current = undefined
    if (slot.attempt === attempt) slot.attempt = undefined
  }
}

async function startSlot(
  slot: Slot,
  repair: Repair,
  context: RepairContext,
  wanted: () => boolean,
): Promise<void> {
  if (slot.node.state === 'crashed' && context.replacement) {
    const crashed = slot.node.owner
    const replacement = await context.replacement(crashed, context.slots().indexOf(slot))
    // It may have taken any time: the answer of a question that nobody asks any more is dropped.
    if (!wanted()) return
    if (replacement !== crashed) context.replace(slot, replacement)
  }
  const { node } = slot
  // A cancelled restart that is on its way out would be joined instead of a new one begun.
  while (node.restarting) await settled(node.restarting.promise)
  // From here to the state `starting` nothing is awaited: no second start can come in between.
  if (!wanted() || node.state === 'running') return
  if (node.state === 'starting') return node.run.start.promise
  if (node.inRun) {
    // Somebody else is stopping it: that is joined first.
    repair.stop.add(slot)
    return
  }
  return node.state === 'init' ? startNode(node) : restartNode(node)
}

/** Resolves when the crash that is being told in this turn has been told to all. */
export function turnOfCrash(): Promise<void> {
  return Promise.resolve()
}

export async function settled(promise: Promise<unknown>): Promise<void> {
  try {
    await promise
  } catch {
    // Told to whoever began it.
  }
}
