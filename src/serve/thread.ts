import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { encodeError } from '../errors/encode.ts'
import { lineOf } from '../logging/line.ts'
import { PostSink } from '../logging/post-sink.ts'
import { setSink } from '../logging/sink.ts'
import { setLoadingModule } from '../service/loading.ts'
import '../handle/received.ts'
import { Outbox } from '../rpc/batch.ts'
import type { EntryData, ServiceEnd } from '../transport/connection.ts'
import { applyToThisThread } from '../transport/environment.ts'
import { loadServiceClass } from './load.ts'
import { learnFrom } from '../transport/inspected.ts'
import type { Boot, FromService } from '../wire/messages.ts'
import { beat } from '../transport/pulse.ts'
import { Server } from './server.ts'

/** How long what a stopped service left behind may keep its thread, in ms. */
const LEFTOVERS_GRACE_MS = 50

/**
 * The whole life of a thread: serves what its first message names. Settles when that has started or failed to; an entry
 * that awaits it ends, if its module never loads, as any with a top-level await that never settles.
 */
export function serve(): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('Bulkhead: this file is the entry of a worker thread')
  return new Promise((resolve, reject) => {
    let receive = (message: unknown): void => {
      begin(message as Boot, port, (next) => (receive = next)).then(resolve, reject)
    }
    port.on('message', (message) => receive(message))
  })
}

function begin(boot: Boot, port: MessagePort, listen: ServiceEnd['listen']): Promise<void> {
  const { pulse } = (workerData as EntryData).bulkhead
  const outbox = new Outbox((message, transferList) => port.postMessage(message, transferList))
  const post = (message: FromService): void => outbox.post(message)

  if (boot.environment) applyToThisThread(boot.environment)
  if (pulse) {
    beat(pulse)
    learnFrom(pulse)
  }
  const sink = new PostSink({ post: (record) => outbox.post(lineOf(record)), level: boot.logLevel })
  setSink(sink)
  carryOutput(post)
  // It only watches: the thread still ends, and this message is delivered before its exit.
  process.on('uncaughtExceptionMonitor', (error) => post({ kind: 'uncaught', error: encodeError(error) }))

  const end: ServiceEnd = {
    outbox,
    listen,
    close: () => {
      port.unref()
      // Fires only if something else keeps the thread alive by then, or if the thread got no time to end meanwhile: the
      // second comes after its event loop has had another chance.
      setTimeout(() => setTimeout(() => endLeftovers(post), 1).unref(), LEFTOVERS_GRACE_MS).unref()
    },
  }
  const server = new Server(end, boot, {
    load: async () => {
      setLoadingModule(boot.module)
      // A module whose top-level await never settles ends its thread, as it would end a process.
      port.unref()
      try {
        return await loadServiceClass(boot.module, boot.exportName)
      } finally {
        port.ref()
        setLoadingModule(undefined)
      }
    },
    setLogLevel: (level) => (sink.level = level),
  })
  return server.run()
}

function endLeftovers(post: (message: FromService) => void): void {
  const resources = process.getActiveResourcesInfo().filter((name) => name !== 'MessagePort')
  post({ kind: 'leftovers', resources })
  process.exit(0)
}

/**
 * Sends what console and the streams write at once, in order with the log: what Node itself carries over is lost when
 * the thread exits, crashes or is ended.
 */
function carryOutput(post: (message: FromService) => void): void {
  for (const to of ['stdout', 'stderr'] as const) {
    const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      post({ kind: 'output', to, chunk: wholeChunk(chunk, rest[0]) })
      const callback = rest.find((arg) => typeof arg === 'function') as (() => void) | undefined
      if (callback) process.nextTick(callback)
      return true
    }
    process[to].write = write
  }
}

function wholeChunk(chunk: string | Uint8Array, encoding: unknown): string | Uint8Array {
  // Its own bytes only: a Buffer may be a view into a pool that it shares.
  if (typeof chunk !== 'string') return Uint8Array.prototype.slice.call(chunk)
  return typeof encoding === 'string' ? new Uint8Array(Buffer.from(chunk, encoding as BufferEncoding)) : chunk
}
