import type { ServiceEnd } from '../transport/transport.ts'
import type { Boot, ToService } from '../wire/messages.ts'
import { type ServeOptions, Server } from './server.ts'

/** Serves what the first message names. Settles when that has started or failed to. */
export function serveOn(end: ServiceEnd, optionsFor: (boot: Boot) => ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    end.listen((message) => {
      const [, boot] = message as Extract<ToService, readonly ['boot', ...unknown[]]>
      new Server(end, boot, optionsFor(boot)).run().then(resolve, reject)
    })
  })
}
