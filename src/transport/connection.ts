import { type MessagePort, type ResourceLimits, Worker } from 'node:worker_threads'
import { Deferred } from '../base/deferred.ts'
import type { CompiledScript } from '../worker/compiled.ts'
import { inheritedExecArgv } from '../worker/exec-argv.ts'
import { Outbox } from '../rpc/batch.ts'
import type { Pulse } from './pulse.ts'

/** How a thread, or what stands for one, has ended. */
export interface ConnectionExit {
  readonly exitCode: number
  /** Of the worker's `error` event. */
  readonly error?: unknown
}

type TransferList = readonly (ArrayBuffer | MessagePort)[]

/** The handle's side of the place a service lives in. It carries messages and ends; it decides nothing. */
export interface Connection {
  readonly threadId: number | undefined
  /** Who hears what the other side says, which is nothing until it has been told what to serve. */
  listen(receive: (message: unknown) => void): void
  /** @throws DataCloneError */
  post(message: unknown, transferList?: TransferList): void
  terminate(): void
  readonly exited: Promise<ConnectionExit>
}

/** The service's side. */
export interface ServiceEnd {
  readonly outbox: Outbox
  /** From now on messages go here, and nowhere else. */
  listen(receive: (message: unknown) => void): void
  /** Nothing more will be said: the place may end as soon as nothing else keeps it alive. */
  close(): void
}

export interface ThreadOptions {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly execArgv?: readonly string[] | undefined
  readonly resourceLimits?: ResourceLimits | undefined
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
    readonly pulse: Pulse | undefined
  }
}

const ENTRY = new URL('../../workers/thread.js', import.meta.url)

export class ThreadConnection implements Connection {
  /** Kept: the worker has none any more once it has ended. */
  readonly threadId: number
  readonly #worker: Worker
  readonly #exited = new Deferred<ConnectionExit>()

  constructor(label: string, data: EntryData, options: ThreadOptions) {
    const execArgv = options.execArgv ?? inheritedExecArgv()
    this.#worker = new Worker(ENTRY, {
      name: label,
      workerData: data,
      ...(execArgv ? { execArgv: [...execArgv] } : {}),
      ...(options.env ? { env: options.env } : {}),
      ...(options.resourceLimits ? { resourceLimits: options.resourceLimits } : {}),
    })
    this.threadId = this.#worker.threadId
    let error: unknown
    // Without a listener an uncaught error in the thread would end this one.
    this.#worker.on('error', (reason) => (error = reason))
    this.#worker.on('messageerror', (reason) => (error ??= reason))
    this.#worker.once('exit', (exitCode) => {
      this.#exited.resolve(error === undefined ? { exitCode } : { exitCode, error })
    })
  }

  get exited(): Promise<ConnectionExit> {
    return this.#exited.promise
  }

  listen(receive: (message: unknown) => void): void {
    this.#worker.on('message', receive)
  }

  post(message: unknown, transferList?: TransferList): void {
    this.#worker.postMessage(message, transferList)
  }

  /** Whether the process goes on for its sake. */
  ref(): void {
    this.#worker.ref()
  }

  unref(): void {
    this.#worker.unref()
  }

  terminate(): void {
    void this.#worker.terminate()
  }
}

/** Both sides on this thread: messages are cloned as between threads, and arrive later in the same turn. */
export class InlineConnection implements Connection {
  readonly threadId: number
  readonly #exited = new Deferred<ConnectionExit>()
  #receive: (message: unknown) => void = () => {}
  #toService: ((message: unknown) => void) | undefined
  #closed = false

  constructor(threadId: number) {
    this.threadId = threadId
  }

  readonly end: ServiceEnd = {
    outbox: new Outbox((message, transferList = []) => {
      const copy = clone(message, transferList)
      queueMicrotask(() => this.#receive(copy))
    }),
    listen: (receive) => (this.#toService = receive),
    close: () => {
      this.#closed = true
      // After the messages already under way.
      queueMicrotask(() => this.#exited.resolve({ exitCode: 0 }))
    },
  }

  get exited(): Promise<ConnectionExit> {
    return this.#exited.promise
  }

  listen(receive: (message: unknown) => void): void {
    this.#receive = receive
  }

  post(message: unknown, transferList: TransferList = []): void {
    const copy = clone(message, transferList)
    queueMicrotask(() => {
      if (!this.#closed) this.#toService?.(copy)
    })
  }

  /** Nothing can end code on this thread: what is left of it is abandoned, once it has the messages under way. */
  terminate(): void {
    queueMicrotask(() => {
      this.#closed = true
      this.#exited.resolve({ exitCode: 1 })
    })
  }
}

function clone(message: unknown, transferList: TransferList): unknown {
  return structuredClone(
    message,
    transferList.length > 0 ? { transfer: [...transferList] as never[] } : undefined,
  )
}
