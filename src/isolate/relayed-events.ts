import type { Beacon } from '../beacon/beacon.ts'
import { decodeError } from '../errors/decode.ts'
import { crashes, hangs, supervisorEvents } from '../observe/channels.ts'
import type { ServiceView } from '../service/types.ts'
import type { RelayedEvent } from '../wire/messages.ts'

/** Tells here what happened below, in the service's own place, whose log has told of it. */
export function publishRelayed(event: RelayedEvent, root: Beacon<ServiceView>): void {
  switch (event[1]) {
    case 'crash':
      crashes.publish({ ...event[2], reason: decodeError(event[3]) })
      break
    case 'hang':
      hangs.publish(event[2])
      break
    case 'supervisor': {
      if (!supervisorEvents.isHeard) return
      const [, , context, encoded] = event
      const child = viewAt(context.path, root)
      const reason = decodeError(encoded)
      supervisorEvents.publish({
        ...context,
        ...(child ? { child } : {}),
        ...(reason === undefined ? {} : { reason }),
      })
    }
  }
}

/** What stands for the child here: the mirror of it. */
function viewAt(path: string, root: Beacon<ServiceView>): ServiceView | undefined {
  for (const beacon of root.traverse()) if (beacon.path === path) return beacon.data
  return undefined
}
