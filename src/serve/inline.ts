import { threadId } from 'node:worker_threads'
import type { ServiceNode } from '../service/node.ts'
import { type Connection, InlineConnection } from '../transport/connection.ts'
import type { Boot } from '../wire/messages.ts'
import { type ServeOptions, Server } from './server.ts'

/** What stands for a thread, in the same state; `handle`, if there is one, is on this thread. */
export function spawnInline({ load }: Pick<ServeOptions, 'load'>, handle?: ServiceNode): Connection {
  const connection = new InlineConnection(threadId)
  const { end } = connection
  end.listen((message) => void new Server(end, message as Boot, { load, handle }).run())
  return connection
}
