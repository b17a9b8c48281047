import { PassThrough, type Readable, type Writable } from 'node:stream'
import { deserialize, serialize } from 'node:v8'
import { Deferred } from '../../src/base/deferred.ts'
import { Outbox } from '../../src/rpc/batch.ts'
import type { Post } from '../../src/rpc/line.ts'
import { loadServiceClass } from '../../src/serve/load.ts'
import { serveOn } from '../../src/serve/serve-on.ts'
import type { Connection, Exit, ServiceEnd, Transport } from '../../src/transport/transport.ts'
import type { Codec } from '../../src/wire/codec.ts'
import type { Location } from '../../src/wire/facts.ts'
import type { ToService } from '../../src/wire/messages.ts'

// A second transport, as one to another process would be: two ends with nothing between them but a pair of byte streams.

function encode(value: unknown): Buffer {
  try {
    return serialize(value)
  } catch (error) {
    throw Object.assign(new Error((error as Error).message), { name: 'DataCloneError' })
  }
}

const codec: Codec = { copy: (value) => deserialize(encode(value)) as unknown }

/** Each message has its length before it; nothing is the end. */
function frame(message: Buffer | undefined): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(message?.length ?? 0)
  return message ? Buffer.concat([head, message]) : head
}

function readFrames(from: Readable, receive: (message: unknown) => void, ended: () => void): void {
  let rest: Buffer = Buffer.alloc(0)
  from.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
      const length = rest.readUInt32LE(0)
      const message = rest.subarray(4, 4 + length)
      rest = rest.subarray(4 + length)
      if (length === 0) ended()
      else receive(deserialize(message))
    }
  })
}

const noDirectLines = (): never => {
  throw new Error('Streams lead nowhere else')
}

class StreamEnd {
  readonly codec = codec
  readonly batches = true
  readonly dial = noDirectLines
  readonly #to: Writable
  #receive: (message: unknown) => void = () => {}
  #open = true

  constructor(from: Readable, to: Writable, ended: () => void) {
    this.#to = to
    readFrames(
      from,
      (message) => {
        if (this.#open) this.#receive(message)
      },
      ended,
    )
  }

  readonly post: Post = (message) => {
    const bytes = encode(message)
    if (this.#open) this.#to.write(frame(bytes))
  }

  listen(receive: (message: unknown) => void): void {
    this.#receive = receive
  }

  /** Hears and says nothing more, and tells the other end so. */
  shut(): void {
    if (this.#open) this.#to.write(frame(undefined))
    this.#open = false
  }
}

class ServingStreamEnd extends StreamEnd implements ServiceEnd {
  readonly outbox = new Outbox(this.post)

  close(): void {
    this.shut()
  }
}

class StreamConnection extends StreamEnd implements Connection {
  readonly location: Location
  readonly #exited: Deferred<Exit>
  #booted = false

  constructor(from: Readable, to: Writable, location: Location) {
    const exited = new Deferred<Exit>()
    super(from, to, () => exited.resolve(EXIT))
    this.#exited = exited
    this.location = location
    const { post } = this
    Object.assign(this, {
      post: (message: unknown) => {
        post(message)
        this.#booted = true
      },
    })
  }

  get exited(): Promise<Exit> {
    return this.#exited.promise
  }

  /** Both ends are on one thread, which ends nothing: what lives there is told to stop at once, and heard no more. */
  terminate(): void {
    if (this.#booted) this.post(['stop', 0] satisfies ToService)
    setImmediate(() => {
      this.shut()
      this.#exited.resolve(EXIT)
    })
  }
}

const EXIT: Exit = { reason: (service, lastWord) => lastWord?.error ?? new Error(`${service} has ended`) }

/** `location` is where its places say they are. */
export function streamTransport(location: Location): Transport {
  return {
    kind: location.kind,
    open() {
      const [there, back] = [new PassThrough(), new PassThrough()]
      const end = new ServingStreamEnd(there, back, () => {})
      void serveOn(end, ({ module, exportName }) => ({ load: () => loadServiceClass(module, exportName) }))
      return new StreamConnection(back, there, location)
    },
  }
}
