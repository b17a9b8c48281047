import type { Clock } from '../base/clock.ts'
import { Deferred } from '../base/deferred.ts'
import { delay } from '../base/wait.ts'
import type { Offer } from '../rpc/line.ts'
import type { Connection, Exit, HangWatch, PlaceSpec, Transport } from '../transport/transport.ts'
import { type Location, type LocationFields, type PlaceKind, isElsewhere } from '../wire/facts.ts'
import type { PreparedPlace } from './prepared.ts'
import { openPlace } from './transports.ts'

/** How long the stack of a place that does not answer may be waited for, in ms: quiet machines need 30 to 100. */
const STACK_TIMEOUT_MS = 300

/** How long a place that is done may take to end, in ms, before it is ended. */
const EXIT_TIMEOUT_MS = 1000

/** Where a service lives for one run. It knows how to end, not when. */
export class Instance {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #exited = new Deferred<Exit>()
  #connection: Connection | undefined
  /** When the place was opened, of Clock.now(). */
  openedAt = 0
  /** Ended by us: how it ends is no news. */
  terminated = false
  dead = false
  /** How long its end was waited for, in ms. */
  exitMs = 0

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport
    this.#clock = clock
  }

  /**
   * In a place that was prepared, if there is one. `exited` is told before those who await the exit go on.
   * @throws when no place can be made
   */
  open(spec: PlaceSpec, prepared: PreparedPlace | undefined, exited: (exit: Exit) => void): Connection {
    this.openedAt = this.#clock.now()
    const connection = prepared?.take() ?? openPlace(this.#transport, spec)
    this.#connection = connection
    void connection.exited.then((exit) => {
      this.dead = true
      exited(exit)
      this.#exited.resolve(exit)
    })
    return connection
  }

  get kind(): PlaceKind {
    return this.#transport.kind
  }

  /** Whether there is somebody to talk to. */
  get inhabited(): boolean {
    return this.#connection !== undefined && !this.dead
  }

  get location(): Location | undefined {
    return this.#connection?.location
  }

  get phases(): Connection['phases'] {
    return this.#connection?.phases
  }

  get exited(): Promise<unknown> {
    return this.#exited.promise
  }

  /** As records have it: a place of its own is named. */
  get identity(): { isolation: PlaceKind } & LocationFields {
    const { location, kind } = this
    if (!location || !isElsewhere(kind)) return { isolation: kind }
    const { kind: _kind, ...fields } = location
    return { isolation: kind, ...fields }
  }

  /** An address that leads straight to what lives here. */
  connect(): Offer | undefined {
    return this.inhabited ? this.#connection?.connect?.() : undefined
  }

  /** Ends the place on purpose. */
  terminate(): void {
    this.terminated = true
    if (this.#connection) {
      if (!this.dead) this.#connection.terminate()
    } else this.dead = true
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

  /** The stack it is in, if that can be had soon. */
  async stack(): Promise<string | undefined> {
    return this.#connection?.stack?.(STACK_TIMEOUT_MS, this.#clock)
  }

  /** Watches for signs of life until the returned function is called. */
  watch(watch: HangWatch): () => void {
    return this.#connection?.heartbeat?.(watch) ?? (() => {})
  }
}
