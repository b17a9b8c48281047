import { type Channel, type TracingChannel, channel, tracingChannel } from 'node:diagnostics_channel'
import type {
  CallContext,
  CrashContext,
  EventContext,
  HangContext,
  StartContext,
  StateContext,
  StopContext,
  SupervisorContext,
} from './events.ts'

/** Hears of an event in this very library; `log` is undefined where the log has been told of it already. */
type Tap<C, L> = (context: C, log: L | undefined) => void

/**
 * Things that happen, as data: for whoever subscribes to the channel of that name, and for the log. `L` is what the log
 * needs of where the lines about them go.
 */
export class EventChannel<C extends EventContext, L = never> {
  readonly name: string
  readonly #channel: Channel
  readonly #taps = new Set<Tap<C, L>>()

  constructor(name: string) {
    this.name = name
    this.#channel = channel(name)
  }

  /** Asked first: what is published is made only for somebody. */
  get isHeard(): boolean {
    return this.#channel.hasSubscribers || this.#taps.size > 0
  }

  publish(context: C, log?: L): void {
    for (const tap of this.#taps) tap(context, log)
    if (this.#channel.hasSubscribers) this.#channel.publish(context)
  }

  /** For this library's own: another copy of it in the process publishes on the same channel, but not to these. */
  tap(tap: Tap<C, L>): () => void {
    this.#taps.add(tap)
    return () => this.#taps.delete(tap)
  }
}

export const states = new EventChannel<StateContext>('bulkhead:state')
export const crashes = new EventChannel<CrashContext, { problem(error: unknown, text: string): void }>(
  'bulkhead:crash',
)
/** What supervisors tell, with their own path and place. */
export const supervisorEvents = new EventChannel<SupervisorContext>('bulkhead:supervisor')
export const hangs = new EventChannel<HangContext, { warn(text: string): void }>('bulkhead:hang')

/** Something that takes time, from its begin to its end. */
export class Tracer<C extends EventContext & { error?: unknown }> {
  readonly #channels: TracingChannel

  constructor(name: string) {
    this.#channels = tracingChannel(name)
  }

  /** Whether anybody listens; older versions of Node 20 do not tell of the five together. */
  get isHeard(): boolean {
    const { start, end, asyncStart, asyncEnd, error } = this.#channels
    return (
      start.hasSubscribers ||
      end.hasSubscribers ||
      asyncStart.hasSubscribers ||
      asyncEnd.hasSubscribers ||
      error.hasSubscribers
    )
  }

  /** Runs what begins it, in the stores that are bound to the channel. */
  begin<T>(context: C, run: () => T): T {
    const { start, end } = this.#channels
    return start.runStores(context, () => {
      try {
        return run()
      } finally {
        end.publish(context)
      }
    })
  }

  end(context: C): void {
    const { asyncStart, asyncEnd } = this.#channels
    asyncStart.publish(context)
    asyncEnd.publish(context)
  }

  fail(context: C, error: unknown): void {
    context.error = error
    this.#channels.error.publish(context)
    this.end(context)
  }
}

export const calls = new Tracer<CallContext>('bulkhead:call')
export const serves = new Tracer<CallContext>('bulkhead:serve')
export const starts = new Tracer<StartContext>('bulkhead:start')
export const stops = new Tracer<StopContext>('bulkhead:stop')
