import { PLACE } from '../wire/facts.ts'
import type { BeaconData } from '../beacon/beacon.ts'
import type { ServiceNode } from '../service/node.ts'
import { type StepsObserver, setLifeObserver } from '../service/observer.ts'
import type { StartPhase, StopPhase } from '../wire/records.ts'
import { type Tracer, crashes, starts, states, stops } from './channels.ts'
import type { EventContext, StartContext, StopContext } from './events.ts'
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

/** Of the real service behind a handle on the same thread the handle tells. */
function isUntold(node: ServiceNode): boolean {
  return node.elsewhere?.handle !== undefined || untold.has(node)
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
    if (!states.isHeard || isUntold(node)) return
    const { state } = node
    const change = { ...contextOf(node), state, previous }
    states.publish(reason === undefined ? change : { ...change, reason })
  },
  crashed(node, reason, { isTold, isPassedOn }) {
    if (isPassedOn || isUntold(node)) {
      // Only a line, the service's own as are those of its life: the event is that of where it began, or of the handle.
      if (!isTold) node.lifecycle.problem(reason, 'Crashed')
      return
    }
    crashes.publish({ ...contextOf(node), reason }, isTold ? undefined : node.lifecycle)
  },
  starting(node) {
    if (!starts.isHeard || isUntold(node)) return undefined
    return observed<StartContext>(starts, { ...contextOf(node), phase: 'postInit' })
  },
  stopping(node) {
    if (!stops.isHeard || isUntold(node)) return undefined
    return observed<StopContext>(stops, { ...contextOf(node), phase: 'onStop' })
  },
})
