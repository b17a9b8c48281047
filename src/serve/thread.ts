import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { encodeError } from '../errors/encode.ts'
import { lineOf } from '../logging/line.ts'
import { PostSink } from '../logging/post-sink.ts'
import { setSink } from '../logging/sink.ts'
import { Outbox } from '../rpc/batch.ts'
import type { Post } from '../rpc/line.ts'
import { setLoadingModule } from '../service/loading.ts'
import '../handle/received.ts'
import { applyToThisThread } from '../transport/environment.ts'
import { beat } from '../transport/heartbeat.ts'
import { learnFrom } from '../transport/inspected.ts'
import { portLine } from '../transport/port.ts'
import type { EntryData } from '../transport/thread.ts'
import type { ServiceEnd } from '../transport/transport.ts'
import type { Boot, FromService } from '../wire/messages.ts'
import { loadServiceClass } from './load.ts'
import { relayEvents } from './relay-events.ts'
import { serveOn } from './serve-on.ts'
import type { ServeOptions } from './server.ts'

/** How long what a stopped service left behind may keep its thread, in ms. */
const LEFTOVERS_GRACE_MS = 50

/**
 * The whole life of a thread: serves what its first message names. Settles when that has started or failed to; an entry
 * that awaits it ends, if its module never loads, as any with a top-level await that never settles.
 */
export function serve(): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('Bulkhead: this file is the entry of a worker thread')
  const end = endOf(port)
  return serveOn(end, (boot) => begin(boot, port, end.outbox.post))
}

function endOf(port: MessagePort): ServiceEnd {
  const { codec, batches, post, dial } = portLine(port)
  const outbox = new Outbox(post)
  let receive: ((message: unknown) => void) | undefined
  return {
    codec,
    batches,
    post,
    outbox,
    dial,
    listen(next) {
      if (!receive) port.on('message', (message) => receive!(message))
      receive = next
    },
    close() {
      port.unref()
      // Fires only if something else keeps the thread alive by then, or if the thread got no time to end meanwhile: the
      // second comes after its event loop has had another chance.
      const unheld = { unref: true }
      const again = (): unknown => systemClock.after(1, () => endLeftovers(outbox.post), unheld)
      systemClock.after(LEFTOVERS_GRACE_MS, again, unheld)
    },
  }
}

function begin(boot: Boot, port: MessagePort, post: Post): ServeOptions {
  const { heartbeat } = (workerData as EntryData).bulkhead
  if (boot.environment) applyToThisThread(boot.environment)
  if (heartbeat) {
    beat(heartbeat)
    learnFrom(heartbeat)
  }
  const sink = new PostSink({ post: (record) => post(lineOf(record)), level: boot.logLevel })
  setSink(sink)
  carryOutput(post)
  relayEvents(post, boot.path)
  // It only watches: the thread still ends, and this message is delivered before its exit.
  process.on('uncaughtExceptionMonitor', (error) =>
    post(['uncaught', encodeError(error)] satisfies FromService),
  )
  return {
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
  }
}

function endLeftovers(post: Post): void {
  const resources = process.getActiveResourcesInfo().filter((name) => name !== 'MessagePort')
  post(['leftovers', resources] satisfies FromService)
  process.exit(0)
}

/**
 * Sends what console and the streams write at once, in order with the log: what Node itself carries over is lost when
 * the thread exits, crashes or is ended.
 */
function carryOutput(post: Post): void {
  for (const to of ['stdout', 'stderr'] as const) {
    const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      post(['output', to, wholeChunk(chunk, rest[0])] satisfies FromService)
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
