import type { ThreadConnection } from '../transport/connection.ts'
import { environmentChange } from '../transport/environment.ts'
import type { ResolvedOptions } from './options.ts'
import { type Pulse, makePulse } from '../transport/pulse.ts'
import { warmUp } from '../serve/warm-up.ts'
import { spawnThread } from './spawn.ts'
import type { EnvironmentChange } from '../wire/facts.ts'

/** A thread with this library in it, which waits to be told what to serve. */
export class SpawnedThread {
  readonly pulse: Pulse | undefined
  readonly #connection: ThreadConnection
  /** Of this process, when it was spawned; undefined if nothing can have changed, or the thread has one of its own. */
  readonly #environment: NodeJS.ProcessEnv | undefined
  #dead = false

  /**
   * `ahead`: its turn is yet to come.
   * @throws `ERR_TSX_MISSING`, and what `new Worker` throws
   */
  constructor(options: ResolvedOptions, { ahead = false } = {}) {
    this.pulse = makePulse(options.pulse)
    this.#connection = spawnThread(options, this.pulse)
    this.#environment = ahead && !options.thread.env ? { ...process.env } : undefined
    // What waits for its turn is no reason for the process to go on.
    if (ahead) this.#connection.unref()
    warmUp()
    void this.#connection.exited.then(() => (this.#dead = true))
  }

  get dead(): boolean {
    return this.#dead
  }

  /** It is to be told now. */
  take(): { connection: ThreadConnection; environment: EnvironmentChange | undefined } {
    this.#connection.ref()
    const environment = this.#environment && environmentChange(this.#environment, process.env)
    return { connection: this.#connection, environment }
  }

  async discard(): Promise<void> {
    this.#connection.terminate()
    await this.#connection.exited
  }
}
