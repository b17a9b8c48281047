import { Budget } from '../base/budget.ts'
import type { Beacon } from '../beacon/beacon.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { combineErrors } from '../errors/describe.ts'
import type { Lifecycle } from './lifecycle.ts'
import { isInside, runOutside } from './context.ts'
import { crashNode } from './crash.ts'
import { NODE, ServiceNode } from './node.ts'
import { restartNode } from './restart.ts'
import { maybeStartNode, startNode } from './start.ts'
import { stopNode, topOfTeardown } from './stop.ts'
import type {
  ServiceLike,
  ServiceState,
  ServiceView,
  StateChange,
  StopOptions,
  SupervisorLike,
} from './types.ts'

/** Marks the classes of this library (an own static), whose methods are not the author's. */
export const LIBRARY_CLASS: unique symbol = Symbol.for('bulkhead.libraryClass') as never

/** What services and handles share: the ServiceLike face of a node. */
export abstract class ManagedService implements ServiceLike {
  /** @internal */
  static readonly [LIBRARY_CLASS]: true = true
  /** @internal */
  readonly [NODE]: ServiceNode

  /** @internal */
  constructor(makeLifecycle: (self: never) => Lifecycle) {
    this[NODE] = new ServiceNode(this, makeLifecycle(this as never), crashNode)
  }

  abstract get label(): string
  abstract get shortLabel(): string

  get state(): ServiceState {
    return this[NODE].state
  }
  get started(): boolean {
    return this[NODE].started
  }
  get crashed(): boolean {
    return this[NODE].state === 'crashed'
  }
  get shouldStop(): boolean {
    return this[NODE].shouldStop
  }
  get crashReason(): unknown {
    return this[NODE].crashReason
  }
  get restartCount(): number {
    return this[NODE].restartCount
  }
  get beacon(): Beacon<ServiceView> {
    return this[NODE].beacon
  }
  get children(): readonly ServiceView[] {
    return this[NODE].lifecycle.views ?? this[NODE].children.map((child) => child.owner)
  }
  get supervisor(): SupervisorLike | undefined {
    return this[NODE].supervisor
  }

  onChange(listener: (change: StateChange) => void): () => void {
    return this[NODE].onChange(listener)
  }

  start(): Promise<void> {
    return this[NODE].elsewhere?.steering.start?.() ?? startNode(this[NODE])
  }

  maybeStart(): Promise<boolean> {
    return this[NODE].elsewhere?.steering.maybeStart?.() ?? maybeStartNode(this[NODE])
  }

  async stop(options?: StopOptions): Promise<void> {
    const node = this[NODE]
    if (node.elsewhere) return node.elsewhere.steering.stop(options)
    return stopPublicly(node, options)
  }

  async restart(): Promise<void> {
    const node = this[NODE]
    if (node.elsewhere) return node.elsewhere.steering.restart()
    if (!isInside(node)) return restartNode(node)
    runOutside(() => restartNode(node)).catch((error: unknown) =>
      node.lifecycle.problem(error, 'The restart failed'),
    )
  }

  crash(reason: unknown): Promise<void> {
    return this[NODE].elsewhere?.steering.crash?.(reason) ?? crashNode(this[NODE], reason)
  }

  async waitUntilStopped(): Promise<void> {
    const node = this[NODE]
    if (node.state === 'starting' || node.state === 'running') await node.run.stopBegun
  }

  setShutdown(): void {
    const node = this[NODE]
    node.run.stop.shutdownWasSet()
    node.lifecycle.setShutdown?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** stop() as callers see it: from inside, it resolves once the state has changed, and the log hears of errors. */
export async function stopPublicly(node: ServiceNode, options: StopOptions = {}): Promise<void> {
  const timeout = toMilliseconds(options.timeout ?? Infinity)
  const budget = new Budget(node.clock, timeout)
  node.cancelRestart()
  if (isInside(node)) {
    // Its state has changed already, and its turn must not be brought forward by itself.
    if (node.awaitsTurn) return
    const stopping = runOutside(() => stopNode(node, budget))
    void stopping?.then((errors) => {
      if (errors.length > 0) node.lifecycle.problem(outcomeOf(node, errors), 'The stop met errors')
    })
    return
  }
  let stopping = undefined as Promise<unknown[]> | undefined
  if (node.awaitsTurn && !isInside(topOfTeardown(node))) {
    // Marked with what is above it, where the order of the steps is kept as long as the budget lasts.
    const { stop } = node.run
    await budget.within(stop.ended)
    stopping = stop.down
  }
  // From inside what is above or beside it, waiting for its turn would be waiting for the caller.
  stopping ??= stopNode(node, budget)
  const errors = (await stopping) ?? []
  if (errors.length > 0) throw outcomeOf(node, errors)
}

/** One and the same error for every caller of a stop. */
const outcomes = new WeakMap<readonly unknown[], unknown>()

function outcomeOf(node: ServiceNode, errors: readonly unknown[]): unknown {
  if (!outcomes.has(errors)) {
    outcomes.set(
      errors,
      combineErrors(errors, `${node.beacon.path} met ${errors.length} errors while stopping`),
    )
  }
  return outcomes.get(errors)
}
