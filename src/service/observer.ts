import type { ServiceState } from '../wire/facts.ts'
import type { StartPhase, StopPhase } from '../wire/records.ts'
import type { ServiceNode } from './node.ts'

/** Hears of a start or a stop, step by step. */
export interface StepsObserver<P extends StartPhase | StopPhase> {
  entered(phase: P): void
  /** `failure`: what went wrong; undefined when all went well. `phases`: what each took, in milliseconds. */
  ended(failure: { readonly error: unknown } | undefined, phases: Readonly<Partial<Record<P, number>>>): void
}

/** Hears of the lives of all services. */
export interface LifeObserver {
  /** What it returns is called once those have heard of the change who listen to this very service. */
  changed(node: ServiceNode, previous: ServiceState, reason: unknown): (() => void) | undefined
  /**
   * `isTold`: the log has been told where it began. `isPassedOn`: it began below, in a child whose supervisor could not
   * help it.
   */
  crashed(node: ServiceNode, reason: unknown, how: { isTold: boolean; isPassedOn: boolean }): void
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
