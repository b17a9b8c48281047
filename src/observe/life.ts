import { PLACE } from '../wire/facts.ts'
import type { BeaconData } from '../beacon/beacon.ts'
import type { ServiceNode } from '../service/node.ts'
import { type StepsObserver, setLifeObserver } from '../service/observer.ts'
import { type StartPhase, type StopPhase, STOP_PHASES } from '../wire/records.ts'
import { type Tracer, crashes, starts, states, stops } from './channels.ts'
import type { EventContext, StartContext, StateContext, StopContext } from './events.ts'
import './log.ts'

export function contextOf(node: ServiceNode): EventContext {
  const isolation = (node.beacon.data as BeaconData)[PLACE]?.kind ?? node.elsewhere?.place ?? 'inline'
  return { service: node.beacon.path, isolation }
}

const untold = new WeakSet<ServiceNode>()

/** Nobody is to hear of this one. */
export function keepFromEvents(node: ServiceNode): void {
  untold.add(node)
}

/**
 * Of the real service behind a handle on the same thread the handle tells; of a handle that was handed on, those who have
 * the one that it was made of.
 */
function isUntold({ elsewhere }: ServiceNode): boolean {
  return elsewhere !== undefined && (elsewhere.handle !== undefined || elsewhere.place === undefined)
}

/** Nothing is told of it here. */
function isKept(node: ServiceNode): boolean {
  return isUntold(node) || untold.has(node)
}

/** Changes that have yet to be told: a subscriber may cause the next, and all hear of this one first. */
const changes: StateContext[] = []
let isTelling = false

function tellChanges(): void {
  if (isTelling) return
  isTelling = true
  try {
    for (let next = changes.shift(); next; next = changes.shift()) states.publish(next)
  } finally {
    isTelling = false
  }
}

type Phase<C> = C extends { phase: infer P } ? P : never

/** From here to its end. */
function observed<C extends StartContext | StopContext>(
  tracer: Tracer<C>,
  context: C,
): StepsObserver<Phase<C> & (StartPhase | StopPhase)> {
  tracer.begin(context, () => {})
  return {
    entered: (phase) => (context.phase = phase),
    ended(failure, phases) {
      context.phases = phases
      if (failure) tracer.fail(context, failure.error)
      else tracer.end(context)
    },
  }
}

setLifeObserver({
  changed(node, previous, reason) {
    if (!states.isHeard || isKept(node)) return undefined
    const change = { ...contextOf(node), state: node.state, previous }
    changes.push(reason === undefined ? change : { ...change, reason })
    return tellChanges
  },
  crashed(node, reason, { isTold, isPassedOn }) {
    if (isPassedOn || isKept(node)) {
      // Only a line, the service's own as are those of its life: the event is that of where it began, or of the handle.
      if (!isTold) node.lifecycle.problem(reason, 'Crashed')
      return
    }
    crashes.publish({ ...contextOf(node), reason }, isTold ? undefined : node.lifecycle)
  },
  starting(node) {
    if (!starts.isHeard || isKept(node)) return undefined
    return observed<StartContext>(starts, { ...contextOf(node), phase: 'postInit' })
  },
  stopping(node) {
    if (!stops.isHeard || isKept(node)) return undefined
    return observed<StopContext>(stops, { ...contextOf(node), phase: STOP_PHASES[0]! })
  },
})
