import type { Duration } from '../base/duration.ts'
import { oneOf, toMilliseconds, wholeNumber, wrong } from '../errors/arguments.ts'
import { supervisorEvents } from '../observe/channels.ts'
import { contextOf } from '../observe/life.ts'
import { isInside } from '../service/context.ts'
import { LIBRARY_CLASS } from '../service/managed.ts'
import { NODE, type ServiceNode, nodeOf } from '../service/node.ts'
import { Service } from '../service/service.ts'
import type { ServiceLike, StateChange, SupervisorLike } from '../service/types.ts'
import { type BackoffOptions, backoffPolicy } from './backoff.ts'
import { type ChildSpec, type Slot, slotFor } from './child.ts'
import { type SupervisorEvent, eventLogger } from './events.ts'
import { STRATEGIES, type Strategy } from './strategies.ts'
import { Watch, type WatchSettings } from './watch.ts'

export type { ChildSpec, RestartType } from './child.ts'
export type { SupervisorEvent } from './events.ts'
export type { Strategy } from './strategies.ts'
export type { BackoffOptions } from './backoff.ts'

export interface SupervisorOptions {
  /** What is done when a child crashes. @default 'one-for-one' */
  strategy?: Strategy
  /**
   * How many restarts there may be within `over`; `Infinity` for no limit. When one more is needed, the supervisor stops
   * its children and crashes with `ERR_MAX_RESTARTS`.
   * @default 5
   */
  maxRestarts?: number
  /**
   * How long a restart counts against `maxRestarts`, in milliseconds or with a unit. After so long without a crash the
   * next restart does not wait.
   * @default '10s'
   */
  over?: Duration
  /** How long restarts wait, each longer than the one before; `false` for not at all. @default 100 ms, doubled up to 5 s */
  backoff?: BackoffOptions | false
  /**
   * Gives the service that is started in place of a crashed one, once that is down; `crashed` itself is fine. If it
   * throws, that is a failed restart.
   * @default the crashed one is started again
   */
  replacement?: (crashed: ServiceLike, index: number) => ServiceLike | Promise<ServiceLike>
  /** What graphs and logs call the supervisor. @default the name of its class */
  label?: string
}

/** Where tests put a random source, from 0 up to 1. @internal */
export const RANDOM: unique symbol = Symbol('bulkhead.random')

/**
 * A service that looks after others: it starts them in order, stops them in reverse, and decides by its strategy what
 * happens when one crashes. The promises are those of Erlang/OTP's `supervisor`, the back-off that of Go's suture, the
 * forfeits and `crash` those of Python's mode.
 *
 * One crash spends one restart, however many children it restarts; a restart that fails to start spends one more and
 * is tried again. When more than `maxRestarts` are needed within `over`, it stops its children and crashes with
 * `ERR_MAX_RESTARTS`, for its own supervisor to handle. A child that fails in the supervisor's own start fails that
 * start. Only children given to the constructor or to `add()` are supervised: one that came by `addDependency()` takes
 * the supervisor down with it.
 */
export class Supervisor extends Service implements SupervisorLike {
  /** @internal */
  static override readonly [LIBRARY_CLASS]: true = true;

  /** @internal */
  [RANDOM]: () => number = Math.random

  readonly #settings: WatchSettings
  readonly #slots = new Map<ServiceNode, Slot>()
  readonly #listeners = new Set<(event: SupervisorEvent) => void>()
  #watch: Watch | undefined

  /**
   * @param services started in this order
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_DURATION`, `ERR_HAS_PARENT`
   */
  constructor(services: Iterable<ServiceLike | ChildSpec> = [], options: SupervisorOptions = {}) {
    super({ label: options.label })
    this.#settings = settingsFrom(options)
    this[NODE].onChange((change) => this.#changed(change))
    this.on(eventLogger(() => ({ log: this.log, ...this.#settings })))
    this.#add([...services])
  }

  /**
   * Adds children, which start after those that are there. A supervisor that is running starts them in the background,
   * one after the other; a failure of that is a crash of the child. As with OTP, children added during a run are gone
   * when it ends. A child that is there already is left as it is.
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_DURATION`, `ERR_HAS_PARENT`, `ERR_CYCLE`
   */
  add(...services: (ServiceLike | ChildSpec)[]): void {
    this.#add(services)
  }

  #add(services: readonly (ServiceLike | ChildSpec)[]): void {
    const node = this[NODE]
    const added: Slot[] = []
    // All are looked at before the first is added.
    for (const slot of services.map(slotFor)) {
      const known = this.#slots.get(slot.node)
      if (known && slot.node.parent === node) continue
      node.addChild(slot.node)
      if (known) this.#drop(known)
      this.#adopt(slot)
      added.push(slot)
    }
    // Before `onStarted`, those that are added have their turn in the supervisor's own start.
    const started =
      node.state === 'running' || (node.state === 'starting' && node.run.start.phase === 'onStarted')
    if (started && added.length > 0) this.#watch?.startAdded(added)
  }

  /**
   * Stops a child for good and detaches it. Rejects as its stop() does, detached all the same; nothing happens when it
   * is not a child. Called from inside the child, it resolves once the stop has begun.
   */
  async remove(service: ServiceLike): Promise<void> {
    const node = nodeOf(service)
    if (node.parent !== this[NODE]) return
    const slot = this.#slots.get(node)
    if (slot) {
      slot.removed = true
      this.#watch?.forget(slot)
    }
    const stopping = service.stop()
    const down = node.inRun ? node.down : undefined
    const detach = (): void => {
      if (slot) this.#drop(slot)
      if (node.parent === this[NODE]) this[NODE].dropChild(node)
    }
    if (down && isInside(node)) {
      // Its teardown waits for the caller, so it cannot be waited for; until it is over it stays in the tree.
      void down.then(detach)
      return stopping
    }
    try {
      await stopping
    } finally {
      detach()
      await node.lifecycle.discard?.()
    }
  }

  /** Stops and detaches a child, as `remove()` does. */
  override async removeDependency<S extends ServiceLike>(child: S): Promise<S> {
    await this.remove(child)
    return child
  }

  /**
   * Calls `listener` for each event, in the turn it happens, until the returned function is called. What a listener
   * throws is logged.
   */
  on(listener: (event: SupervisorEvent) => void): () => void {
    const own = (event: SupervisorEvent): void => listener(event)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  #changed({ state }: StateChange): void {
    if (state === 'starting') {
      this.#prune()
      this.#watch = new Watch({
        node: this[NODE],
        settings: this.#settings,
        random: () => this[RANDOM](),
        slots: () => this.#inOrder(),
        replace: (slot, replacement) => this.#replace(slot, replacement),
        emit: (event) => this.#emit(event),
      })
    } else if (state === 'running') {
      this.#watch?.running()
    } else {
      this.#watch?.end()
      this.#prune()
    }
  }

  #inOrder(): Slot[] {
    return this[NODE].children.flatMap((node) => this.#slots.get(node) ?? []).filter((slot) => !slot.removed)
  }

  #adopt(slot: Slot): void {
    const { node } = slot
    this.#slots.set(node, slot)
    node.supervisedBy(this)
    slot.unsubscribe = node.onChange((change) => {
      if (node.parent === this[NODE]) this.#watch?.childChanged(slot, change)
    })
  }

  #drop(slot: Slot): void {
    slot.unsubscribe()
    if (this.#slots.get(slot.node) === slot) this.#slots.delete(slot.node)
  }

  /** The end of a run drops the children added in it. */
  #prune(): void {
    for (const slot of this.#slots.values()) if (slot.node.parent !== this[NODE]) this.#drop(slot)
  }

  #replace(slot: Slot, replacement: ServiceLike): void {
    const fresh = nodeOf(replacement)
    // May throw, and then has changed nothing.
    this[NODE].replaceChild(slot.node, fresh)
    this.#drop(slot)
    slot.node = fresh
    this.#adopt(slot)
  }

  #emit(event: SupervisorEvent): void {
    // Of this moment: one that a listener adds hears of the next event.
    for (const listener of Array.from(this.#listeners)) {
      try {
        listener(event)
      } catch (error) {
        this[NODE].lifecycle.problem(error, 'A listener for events failed')
      }
    }
    if (supervisorEvents.isHeard) supervisorEvents.publish({ ...contextOf(this[NODE]), ...event })
  }
}

function settingsFrom(options: SupervisorOptions): WatchSettings {
  const { strategy = 'one-for-one', maxRestarts = 5, over = '10s', backoff, replacement } = options
  oneOf('strategy', strategy, STRATEGIES)
  wholeNumber('maxRestarts', maxRestarts, { least: 0, orInfinity: true })
  if (replacement !== undefined && typeof replacement !== 'function') {
    wrong('replacement', replacement, 'a function')
  }
  return { strategy, maxRestarts, over: toMilliseconds(over), backoff: backoffPolicy(backoff), replacement }
}
