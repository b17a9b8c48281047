import { threadId } from 'node:worker_threads'
import type { ServiceNode } from '../service/node.ts'
import { type Carrier, InlineCarrier } from '../transport/connection.ts'
import type { Boot } from '../wire/messages.ts'
import { type ServeOptions, Server } from './server.ts'

/** What stands for a thread, in the same state; `handle`, if there is one, is on this thread. */
export function spawnInline({ load }: Pick<ServeOptions, 'load'>, handle?: ServiceNode): Carrier {
  const carrier = new InlineCarrier(threadId)
  const { end } = carrier
  end.listen((message) => void new Server(end, message as Boot, { load, handle }).run())
  return carrier
}
