import type { Connection } from '../transport/transport.ts'

/** A place that was made before its turn, and waits to be told what to serve. */
export class PreparedPlace {
  readonly #connection: Connection
  #dead = false

  constructor(connection: Connection) {
    this.#connection = connection
    void connection.exited.then(() => (this.#dead = true))
  }

  get dead(): boolean {
    return this.#dead
  }

  /** Its turn has come: from now on the process goes on for its sake. */
  take(): Connection {
    this.#connection.ref?.()
    return this.#connection
  }

  async discard(): Promise<void> {
    this.#connection.terminate()
    await this.#connection.exited
  }
}
