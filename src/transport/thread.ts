import { type MessagePort, Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import { Deferred } from '../base/deferred.ts'
import type { Post } from '../rpc/line.ts'
import { structuredCloneCodec } from '../wire/codec.ts'
import type { EnvironmentChange, Location } from '../wire/facts.ts'
import { type CompiledScript, compiledLibrary } from '../worker/compiled.ts'
import { inheritedExecArgv } from '../worker/exec-argv.ts'
import { libraryUrl } from '../worker/library-url.ts'
import { tsxFor } from '../worker/tsx.ts'
import { environmentChange } from './environment.ts'
import { guardAgainstHang } from './hang.ts'
import { type Heartbeat, makeHeartbeat } from './heartbeat.ts'
import { offerPort, portLine } from './port.ts'
import { stackWithin } from './stack.ts'
import { reasonOfExit } from './thread-exit.ts'
import type { Connection, Exit, HangWatch, PlaceSpec, Transport } from './transport.ts'

/** A worker thread for each place, with this library in it. */
export const threadTransport: Transport = {
  kind: 'thread',
  prepare: (spec) => new ThreadConnection(spec, { ahead: true }),
  open: (spec) => new ThreadConnection(spec),
}

/** What the thread's entry file reads from `workerData`; what it is to serve comes as its first message. */
export interface EntryData {
  readonly bulkhead: {
    /** URL of the service's side of this library. */
    readonly serve: string
    /** URL of tsx's loader, where TypeScript is to be loaded. */
    readonly tsx: string | undefined
    readonly compiled: CompiledScript | undefined
    /** Where the thread shows that it lives, if it is watched. */
    readonly heartbeat: Heartbeat | undefined
  }
}

const ENTRY = new URL('../../workers/thread.js', import.meta.url)

class ThreadConnection implements Connection {
  readonly location: Extract<Location, { kind: 'thread' | 'inline' }>
  readonly codec = structuredCloneCodec
  readonly batches = true
  readonly phases = { start: 'threadStart', exit: 'threadExit' } as const
  readonly #worker: Worker
  readonly #exited = new Deferred<Exit>()
  readonly #spec: PlaceSpec
  readonly #shared: Heartbeat | undefined
  /** This process's, when it was spawned; undefined if nothing can have changed, or the thread has one of its own. */
  readonly #environment: NodeJS.ProcessEnv | undefined
  #hung: { readonly error: Error } | undefined

  /** @throws `ERR_TSX_MISSING`, and what `new Worker` throws */
  constructor(spec: PlaceSpec, { ahead = false } = {}) {
    this.#spec = spec
    this.#shared = makeHeartbeat(spec.hang)
    this.#worker = spawn(spec, this.#shared)
    // Kept: the worker has none any more once it has ended.
    this.location = { kind: 'thread', threadId: this.#worker.threadId }
    this.#environment = ahead && !spec.worker?.env ? { ...process.env } : undefined
    // What waits for its turn is no reason for the process to go on.
    if (ahead) this.#worker.unref()
    let error: unknown
    // Without a listener an uncaught error in the thread would end this one.
    this.#worker.on('error', (reason) => (error = reason))
    this.#worker.on('messageerror', (reason) => (error ??= reason))
    this.#worker.once('exit', (exitCode) => {
      const exit = { exitCode, error }
      this.#exited.resolve({
        reason: (service, lastWord) => reasonOfExit(service, exit, this.#hung ?? lastWord),
      })
    })
  }

  get exited(): Promise<Exit> {
    return this.#exited.promise
  }

  listen(receive: (message: unknown) => void): void {
    this.#worker.on('message', receive)
  }

  readonly post: Post = (message, transferList) => this.#worker.postMessage(message, transferList)

  readonly connect = (): ReturnType<typeof offerPort> => offerPort(this.post)

  readonly dial: Connection['dial'] = (address) => portLine(address as MessagePort)

  ref(): void {
    this.#worker.ref()
  }

  environmentChange(): EnvironmentChange | undefined {
    return this.#environment && environmentChange(this.#environment, process.env)
  }

  terminate(): void {
    void this.#worker.terminate()
  }

  stack(ms: number, clock: Clock): Promise<string | undefined> {
    return stackWithin(this.location.threadId, ms, clock)
  }

  heartbeat({ clock, service, warn }: HangWatch): () => void {
    if (!this.#shared) return () => {}
    return guardAgainstHang({
      heartbeat: this.#shared,
      limits: this.#spec.hang,
      clock,
      threadId: this.location.threadId,
      service,
      warn,
      hung: (error) => {
        this.#hung = { error }
        this.terminate()
      },
    })
  }
}

function spawn({ label, module, worker = {} }: PlaceSpec, heartbeat?: Heartbeat): Worker {
  const { execArgv, ...settings } = worker
  const data: EntryData = {
    bulkhead: {
      serve: libraryUrl('serve/thread'),
      tsx: tsxFor(module),
      compiled: compiledLibrary?.shared(),
      heartbeat,
    },
  }
  const flags = execArgv ?? inheritedExecArgv()
  return new Worker(ENTRY, {
    name: label,
    workerData: data,
    ...definedOf(settings),
    ...(flags ? { execArgv: [...flags] } : {}),
  })
}

/** Node takes an option that is there for one that was given. */
function definedOf<T extends object>(settings: T): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value)) as Partial<T>
}
