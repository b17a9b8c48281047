import { serveInline } from '../serve/inline.ts'
import { warmUp } from '../serve/warm-up.ts'
import { inlineTransport } from '../transport/inline.ts'
import { threadTransport } from '../transport/thread.ts'
import type { Connection, PlaceSpec, Transport } from '../transport/transport.ts'
import { isElsewhere } from '../wire/facts.ts'

const transports = new Map<string, Transport>()

/** Makes a kind of place known, which `isolation` can then name. */
export function addTransport(transport: Transport): void {
  transports.set(transport.kind, transport)
}

addTransport(threadTransport)
addTransport(inlineTransport(serveInline))

/** The names that `isolation` can have. */
export function transportNames(): string[] {
  return [...transports.keys()]
}

export function transportNamed(name: string): Transport | undefined {
  return transports.get(name)
}

/**
 * A place that waits to be told what to serve.
 * @throws what the transport throws when no place can be made
 */
export function openPlace(transport: Transport, spec: PlaceSpec): Connection {
  return warmedUp(transport.open(spec))
}

/**
 * The same, but its turn is yet to come; undefined where there is nothing to prepare.
 * @throws as openPlace does
 */
export function preparePlace(transport: Transport, spec: PlaceSpec): Connection | undefined {
  const connection = transport.prepare?.(spec)
  return connection && warmedUp(connection)
}

/** While the place boots, this thread has the time. */
function warmedUp(connection: Connection): Connection {
  if (isElsewhere(connection.location.kind)) warmUp()
  return connection
}
