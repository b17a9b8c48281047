import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { DirectLine, Offer, Post } from '../rpc/line.ts'
import { structuredCloneCodec } from '../wire/codec.ts'
import type { ToService } from '../wire/messages.ts'

/** Has the other side take calls over a port of their own; the address is that port's other end. */
export function offerPort(post: Post): Offer {
  const { port1, port2 } = new MessageChannel()
  post(['connect', port2] satisfies ToService, [port2])
  return { address: port1, transfer: [port1] }
}

/** The line over a port, at either of its ends. It keeps no thread alive until its ref() is called. */
export function portLine(port: MessagePort): DirectLine {
  const post: Post = (message, transferList) => port.postMessage(message, transferList)
  return {
    codec: structuredCloneCodec,
    batches: true,
    post,
    listen(receive) {
      port.on('message', receive)
      port.unref()
    },
    connect: () => offerPort(post),
    dial: (address) => portLine(address as MessagePort),
    onClose: (closed) => void port.once('close', closed),
    close: () => port.close(),
    ref: () => port.ref(),
    unref: () => port.unref(),
  }
}
