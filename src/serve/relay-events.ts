import { encodeError } from '../errors/encode.ts'
import { crashes, hangs, supervisorEvents } from '../observe/channels.ts'
import type { Post } from '../rpc/line.ts'
import type { RelayedEvent } from '../wire/messages.ts'

/**
 * Has what happens here told on the handle's side, too. Changes of state go with the tree; of the service itself, at the
 * path `root`, the handle tells.
 */
export function relayEvents(post: Post, root: string): void {
  const relay = (message: RelayedEvent): void => post(message)
  crashes.tap(({ reason, ...context }) => {
    if (context.service !== root) relay(['event', 'crash', context, encodeError(reason)])
  })
  hangs.tap((context) => relay(['event', 'hang', context]))
  supervisorEvents.tap(({ child: _child, reason, ...context }) =>
    relay(['event', 'supervisor', context, encodeError(reason)]),
  )
}
