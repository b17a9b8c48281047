import { Budget } from '../base/budget.ts'
import { ignoreRejection } from '../base/deferred.ts'
import type { Beacon } from '../beacon/beacon.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { combineErrors } from '../errors/describe.ts'
import type { Body } from './body.ts'
import { isInside } from './context.ts'
import { crashNode } from './crash.ts'
import { NODE, ServiceNode } from './node.ts'
import { restartNode } from './restart.ts'
import { maybeStartNode, startNode } from './start.ts'
import { stopNode } from './stop.ts'
import type {
  ServiceLike,
  ServiceState,
  ServiceView,
  StateChange,
  StopOptions,
  SupervisorLike,
} from './types.ts'

/** What services and handles share: the ServiceLike face of a node. */
export abstract class ManagedService implements ServiceLike {
  /** @internal */
  readonly [NODE]: ServiceNode

  /** @internal */
  constructor(makeBody: (self: never) => Body) {
    this[NODE] = new ServiceNode(this, makeBody(this as never), crashNode)
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
    return this[NODE].body.views ?? this[NODE].children.map((child) => child.owner)
  }
  get supervisor(): SupervisorLike | undefined {
    return this[NODE].supervisor
  }

  onChange(listener: (change: StateChange) => void): () => void {
    return this[NODE].onChange(listener)
  }

  start(): Promise<void> {
    return startNode(this[NODE])
  }

  maybeStart(): Promise<boolean> {
    return maybeStartNode(this[NODE])
  }

  async stop(options?: StopOptions): Promise<void> {
    const node = this[NODE]
    if (node.steering) return node.steering.stop(options)
    return stopPublicly(node, options)
  }

  async restart(): Promise<void> {
    const node = this[NODE]
    if (node.steering) return node.steering.restart()
    const restarting = restartNode(node)
    if (!isInside(node)) return restarting
    restarting.catch((error: unknown) => node.body.problem(error, 'The restart failed'))
  }

  crash(reason: unknown): Promise<void> {
    return crashNode(this[NODE], reason)
  }

  async waitUntilStopped(): Promise<void> {
    const node = this[NODE]
    if (node.state === 'starting' || node.state === 'running') await node.run.stopBegun
  }

  setShutdown(): void {
    const node = this[NODE]
    node.run.shutdown.resolve()
    node.body.setShutdown?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** stop() as callers see it: from inside, it resolves once the state has changed, and the log hears of errors. */
export async function stopPublicly(node: ServiceNode, options: StopOptions = {}): Promise<void> {
  const timeout = toMilliseconds(options.timeout ?? Infinity)
  if (node.restarting) node.restarting.cancelled = true
  const stopping = stopNode(node, new Budget(node.clock, timeout))
  if (!stopping) return
  const outcome = stopping.then((errors) => {
    if (errors.length > 0) throw combineErrors(errors, `${node.beacon.path} met ${errors.length} errors while stopping`)
  })
  if (!isInside(node)) return outcome
  outcome.catch((error: unknown) => node.body.problem(error, 'The stop met errors'))
  ignoreRejection(outcome)
}
