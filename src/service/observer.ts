import type { ServiceState } from '../wire/facts.ts'
import type { StartPhase, StopPhase } from '../wire/records.ts'
import type { ServiceNode } from './node.ts'

/** A start or a stop that somebody wants to know of. */
export interface StepsObserver<P extends StartPhase | StopPhase> {
  entered(phase: P): void
  /** `phases`: what each step took, in ms; `failure`: undefined when all went well. */
  ended(phases: Readonly<Partial<Record<P, number>>>, failure: { readonly error: unknown } | undefined): void
}

/** Hears of the lives of all services. */
export interface LifeObserver {
  changed(node: ServiceNode, previous: ServiceState, reason: unknown): void
  /** `isTold`: the log has been told of it where it began. */
  crashed(node: ServiceNode, reason: unknown, isTold: boolean): void
  /** Undefined when nobody wants to know. */
  starting(node: ServiceNode): StepsObserver<StartPhase> | undefined
  stopping(node: ServiceNode): StepsObserver<StopPhase> | undefined
}

/** A slot: what becomes of events is made of services in its turn, and stands below them in the order of rooms. */
let observer: LifeObserver | undefined

export function setLifeObserver(given: LifeObserver): void {
  observer = given
}

export function lifeObserver(): LifeObserver | undefined {
  return observer
}
