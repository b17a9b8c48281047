import type { PlaceSpec, ServiceEnd } from '../transport/transport.ts'
import { loadServiceClass } from './load.ts'
import { serveOn } from './serve-on.ts'

/** The service's side on the thread of its handle. */
export function serveInline(end: ServiceEnd, { here }: PlaceSpec): void {
  void serveOn(end, ({ module, exportName }) => ({
    load: here?.load ?? (() => loadServiceClass(module, exportName)),
    handle: here?.handle,
  }))
}
