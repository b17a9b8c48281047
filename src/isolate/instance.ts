import type { Clock } from '../base/clock.ts'
import { Deferred } from '../base/deferred.ts'
import { delay } from '../base/wait.ts'
import { Outbox, type Post } from '../rpc/batch.ts'
import type { Connection, ConnectionExit } from '../transport/connection.ts'
import { guardAgainstHang } from '../transport/hang.ts'
import type { Isolation, ResolvedOptions } from './options.ts'
import type { ToService } from '../wire/messages.ts'
import type { Pulse } from '../transport/pulse.ts'
import { spawnInline } from '../serve/inline.ts'
import { type BootOptions, boot } from './spawn.ts'
import { SpawnedThread } from './spawned.ts'
import { stackWithin } from '../transport/stack.ts'
import type { EnvironmentChange } from '../wire/facts.ts'

/** How long the stack of a thread that does not answer may be waited for, in ms: quiet machines need 30 to 100. */
const STACK_TIMEOUT_MS = 300

/** How long a thread that is done may take to end, in ms, before it is ended. */
const EXIT_TIMEOUT_MS = 1000

/** Who hears from it. */
export interface Resident {
  readonly receive: (message: unknown) => void
  /** Told before those who await the exit go on. */
  readonly exited: (exit: ConnectionExit) => void
}

/** Where a service lives for one run: a thread, or what stands for one. It knows how to end, not when. */
export class Instance {
  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #exited = new Deferred<ConnectionExit>()
  #connection: Connection | undefined
  #pulse: Pulse | undefined
  /** Of Clock.now(). */
  openedAt = 0
  /** Ended by us: how it ends is no news. */
  terminated = false
  dead = false
  /** How long its end was waited for, in ms. */
  exitMs = 0

  constructor(options: ResolvedOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    const post: Post = (message, transferList) => {
      if (!this.dead) this.#connection?.post(message, transferList)
    }
    this.outbox = new Outbox(post, { holds: this.isThread })
    this.post = this.outbox.post
  }

  /** In a thread that was prepared, if there is one. */
  open(
    given: Omit<BootOptions, 'options' | 'environment'>,
    prepared: SpawnedThread | undefined,
    to: Resident,
  ): void {
    this.openedAt = this.#clock.now()
    const options = this.#options
    let connection: Connection
    let environment: EnvironmentChange | undefined
    if (this.isThread) {
      const thread = prepared ?? new SpawnedThread(options)
      this.#pulse = thread.pulse
      ;({ connection, environment } = thread.take())
    } else {
      connection = spawnInline(given.source, given.node)
    }
    this.#connection = connection
    connection.listen(to.receive)
    void connection.exited.then((exit) => {
      this.dead = true
      to.exited(exit)
      this.#exited.resolve(exit)
    })
    try {
      boot(connection, { ...given, options, environment })
    } catch (error) {
      this.terminated = true
      // Nothing else: the first message that it got would be taken for the one that failed.
      connection.terminate()
      throw error
    }
  }

  get isolation(): Isolation {
    return this.#options.isolation
  }

  get isThread(): boolean {
    return this.isolation === 'thread'
  }

  /** Whether there is somebody to talk to. */
  get inhabited(): boolean {
    return this.#connection !== undefined && !this.dead
  }

  get threadId(): number | undefined {
    return this.#connection?.threadId
  }

  get exited(): Promise<unknown> {
    return this.#exited.promise
  }

  readonly outbox: Outbox

  /** @throws DataCloneError */
  readonly post: Post

  /** On purpose. */
  terminate(): void {
    this.terminated = true
    // Inline nothing else ends its tasks.
    if (!this.isThread) this.post({ kind: 'stop', timeout: 0 } satisfies ToService)
    this.#connection?.terminate()
    if (!this.#connection) this.dead = true
  }

  /** What lived here is done: waits for the end, and sees to it when it does not come. */
  async vacate(): Promise<void> {
    if (!this.inhabited) return
    const from = this.#clock.now()
    if (!this.terminated) {
      const done = new AbortController()
      const late = delay(EXIT_TIMEOUT_MS, { clock: this.#clock, signal: done.signal })
      await Promise.race([this.#exited.promise, late])
      done.abort()
      if (!this.dead) this.terminate()
    }
    await this.#exited.promise
    this.exitMs = this.#clock.now() - from
  }

  /** The stack its thread is in, if that can be had soon. */
  async stack(): Promise<string | undefined> {
    const { threadId } = this
    return this.isThread && threadId !== undefined ? stackWithin(threadId, STACK_TIMEOUT_MS) : undefined
  }

  /** Until the returned function is called; `hung` is told after the thread has been told to end. */
  guardAgainstHang(
    service: () => string,
    { warn, hung }: { warn: (text: string) => void; hung: (reason: Error) => void },
  ): () => void {
    const { threadId } = this
    if (!this.#pulse || threadId === undefined) return () => {}
    const limits = this.#options.pulse
    const end = (reason: Error): void => {
      hung(reason)
      this.#connection?.terminate()
    }
    return guardAgainstHang({
      pulse: this.#pulse,
      limits,
      clock: this.#clock,
      threadId,
      service,
      warn,
      hung: end,
    })
  }
}
