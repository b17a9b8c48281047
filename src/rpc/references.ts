import { decodeError } from '../errors/decode.ts'
import { type EncodedThrow, encodeError } from '../errors/encode.ts'
import type { StreamEnd } from '../observe/trace-call.ts'
import { bindContext } from '../service/context.ts'
import { type PackResult, type Packed, type Marshaller, type Surrogate, pack, unpack } from '../wire/pack.ts'
import { CallbackPromise } from './callback-promise.ts'
import { type ReceivedHandle, handleMarshaller } from './handle-marshaller.ts'
import { Invocations } from './invocations.ts'
import { exportIterable, importIterable, isAsyncIterable } from './iterable.ts'
import type { Transferable } from '../wire/codec.ts'
import type { HandedHandle } from '../wire/facts.ts'
import type { ReferenceMessage } from '../wire/messages.ts'
import type { Handlers } from '../wire/route.ts'
import type { DirectLine } from './line.ts'

interface Exported {
  call?(...args: unknown[]): unknown
  next?(): unknown
  return?(): unknown
  /** The other side has let go of it. */
  released?(): void
}

type Side = 'exported' | 'imported'
type Stream = Extract<Surrogate, { type: 'iterable' }>

/** Numbers of what one value has exported; `signals` live only as long as the call they belong to. */
export interface Exports {
  readonly all: number[]
  readonly signals: number[]
}

export interface ReferencesOptions {
  post(message: ReferenceMessage, transferList?: PackResult['transferList']): void
  /** What nobody waits for and must not kill the thread. */
  problem(error: unknown, text: string): void
  /** The line that an address leads to which came with a handle. */
  dial(address: unknown): DirectLine
}

/**
 * One side of what a caller and a service say to one another, apart from the calls themselves: callbacks, streams and signals that
 * were handed over, by number. Both sides have one.
 */
export class References implements Marshaller {
  readonly #options: ReferencesOptions
  readonly #exported = new Map<number, Exported>()
  readonly #invocations = new Invocations()
  readonly #controllers = new Map<number, AbortController>()
  readonly #received = new Map<number, Pick<ReceivedHandle, 'update' | 'close'>>()
  readonly #atEnd: Readonly<Record<Side, Map<number, (end: StreamEnd) => void>>> = {
    exported: new Map(),
    imported: new Map(),
  }
  readonly #dropped: FinalizationRegistry<number>
  #nextTarget = 0
  #down = false
  /** What the value being packed has exported. */
  #packing: Exports & { of?: 'arguments' | 'result' } = { all: [], signals: [] }

  constructor(options: ReferencesOptions) {
    this.#options = options
    this.#dropped = new FinalizationRegistry((target) => this.#letGo(target))
  }

  pack(value: unknown, of: 'arguments' | 'result'): PackResult & { exports: Exports } {
    const exports: Exports = { all: [], signals: [] }
    this.#packing = { ...exports, of }
    return { ...pack(value, this), exports }
  }

  unpack(packed: Packed): unknown {
    return unpack(packed, this)
  }

  /** Ends the listening to signals that a settled call had brought along. */
  release(targets: readonly number[]): void {
    for (const target of targets) this.#release(target)
  }

  readonly handlers: Handlers<ReferenceMessage> = {
    invoke: (message) => void this.#serve(message),
    outcome: ([, call, answer]) => this.#invocations.settle(call, answer, (packed) => this.unpack(packed)),
    release: ([, target]) => this.#release(target),
    handle: ([, target, now]) => this.#received.get(target)?.update(now),
    abort: ([, target, reason]) => {
      this.#controllers.get(target)?.abort(decodeError(reason))
      this.#controllers.delete(target)
    },
  }

  /** The other side answers no more: what waits for it rejects. What was exported may still be used. */
  refuse(reason: () => Error): void {
    if (!this.#invocations.close(reason)) return
    this.#cutStreams('imported', reason)
    this.#controllers.clear()
    for (const { close } of this.#received.values()) close()
    this.#received.clear()
  }

  /** One side is down: what was exported is let go, too. */
  close(reason: () => Error): void {
    this.refuse(reason)
    this.#down = true
    this.#cutStreams('exported', reason)
    for (const target of [...this.#exported.keys()]) this.#release(target)
  }

  // ---- Marshaller

  export(value: object, move: (items: readonly Transferable[]) => void): Surrogate | undefined {
    if (handleMarshaller().isHandle(value)) return this.#exportHandle(value, move)
    if (isAsyncIterable(value)) return { type: 'iterable', target: this.#add(exportIterable(value)) }
    // A result is the service's own: only what an argument brings can be called back or aborted.
    if (this.#packing.of === 'result') return undefined
    if (typeof value === 'function') {
      const callback = bindContext(value as (...args: unknown[]) => unknown)
      return { type: 'function', target: this.#add({ call: callback }) }
    }
    return value instanceof AbortSignal ? this.#exportSignal(value) : undefined
  }

  import(surrogate: Surrogate): unknown {
    switch (surrogate.type) {
      case 'function':
        return this.#importFunction(surrogate.target)
      case 'signal':
        return this.#importSignal(surrogate.target, surrogate.aborted)
      case 'iterable':
        return this.#importIterable(surrogate.target)
      case 'handle':
        return this.#importHandle(surrogate.target, surrogate.handed)
      default:
        throw new Error(`Bulkhead: nothing is imported for a ${surrogate.type}`)
    }
  }

  #add(exported: Exported): number {
    const target = ++this.#nextTarget
    this.#exported.set(target, exported)
    this.#packing.all.push(target)
    return target
  }

  #release(target: number): void {
    const exported = this.#exported.get(target)
    this.#exported.delete(target)
    exported?.released?.()
    this.#ended('exported', target, 'done')
  }

  /** Calls `then` once the streams in a result have ended, on this side or that; at once when there are none. */
  afterStreams(side: Side, { surrogates = [] }: Packed, then: (end: StreamEnd) => void): void {
    // One is the rule; of several the last counts that was packed.
    const stream = surrogates.findLast(([, surrogate]) => surrogate.type === 'iterable')?.[1] as
      | Stream
      | undefined
    if (stream) this.#atEnd[side].set(stream.target, then)
    else then('done')
  }

  #ended(side: Side, target: number, end: StreamEnd): void {
    const then = this.#atEnd[side].get(target)
    this.#atEnd[side].delete(target)
    then?.(end)
  }

  /** One side is down: what is left of the streams will not be read. */
  #cutStreams(side: Side, reason: () => Error): void {
    for (const target of [...this.#atEnd[side].keys()]) this.#ended(side, target, { closedWith: reason() })
  }

  #forget(target: number, end: StreamEnd): void {
    this.#exported.delete(target)
    this.#ended('exported', target, end)
  }

  #exportSignal(signal: AbortSignal): Surrogate {
    const target = ++this.#nextTarget
    if (signal.aborted) return { type: 'signal', target, aborted: encodeError(signal.reason) }
    const onAbort = (): void => {
      this.#exported.delete(target)
      this.#tell(['abort', target, encodeError(signal.reason)])
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#exported.set(target, { released: () => signal.removeEventListener('abort', onAbort) })
    this.#packing.all.push(target)
    this.#packing.signals.push(target)
    return { type: 'signal', target }
  }

  #importSignal(target: number, aborted: EncodedThrow | undefined): AbortSignal {
    if (aborted) return AbortSignal.abort(decodeError(aborted))
    const controller = new AbortController()
    this.#controllers.set(target, controller)
    return controller.signal
  }

  /** The signals that a call brought are of no use once it has settled. */
  forgetSignals(packed: Packed): void {
    for (const [, surrogate] of packed.surrogates ?? []) {
      if (surrogate.type === 'signal') this.#controllers.delete(surrogate.target)
    }
  }

  #importFunction(target: number): (...args: unknown[]) => Promise<unknown> {
    const callback = (...args: unknown[]): Promise<unknown> =>
      new CallbackPromise(this.#invoke(target, 'call', args), (error) => {
        // That one side is down is no failure of a callback whose outcome nobody waits for.
        if (!this.#invocations.isOfClose(error))
          this.#options.problem(error, 'A callback failed, and nobody handled it')
      })
    this.#dropped.register(callback, target)
    return callback
  }

  #importIterable(target: number): AsyncIterableIterator<unknown> {
    const iterator = importIterable(
      (method) => this.#invoke(target, method, []) as Promise<IteratorResult<unknown>>,
      (end) => this.#ended('imported', target, end),
    )
    this.#dropped.register(iterator, target)
    return iterator
  }

  #exportHandle(value: object, move: (items: readonly Transferable[]) => void): Surrogate {
    const target = ++this.#nextTarget
    const { now, steer, stop } = handleMarshaller().hand(value, ({ handed, transfer }) => {
      if (!this.#down) this.#options.post(['handle', target, handed], transfer)
    })
    this.#exported.set(target, { call: steer, released: stop })
    this.#packing.all.push(target)
    move(now.transfer)
    return { type: 'handle', target, handed: now.handed }
  }

  #importHandle(target: number, handed: HandedHandle): object {
    const received = handleMarshaller().receive(
      handed,
      (verb, ...args) => this.#invoke(target, 'call', [verb, ...args]),
      (address) => this.#options.dial(address),
    )
    const { update, close } = received
    this.#received.set(target, { update, close })
    this.#dropped.register(received.handle, target)
    return received.handle
  }

  // ---- invocations

  #invoke(target: number, method: 'call' | 'next' | 'return', args: unknown[]): Promise<unknown> {
    return this.#invocations.begin((call) =>
      this.#send(args, 'arguments', (packed) => ['invoke', target, method, call, packed]),
    )
  }

  async #serve([, target, method, call, args]: Extract<
    ReferenceMessage,
    readonly ['invoke', ...unknown[]]
  >): Promise<void> {
    const exported = this.#exported.get(target)
    try {
      if (!exported?.[method]) throw new Error('It is no longer there: its side has let go of it')
      const value = await exported[method](...(this.unpack(args) as []))
      const ended = method === 'return' || (method === 'next' && (value as IteratorResult<unknown>).done)
      if (ended) this.#forget(target, 'done')
      this.#send(value, 'result', (packed) => ['outcome', call, { value: packed }])
    } catch (error) {
      if (method !== 'call') this.#forget(target, { error })
      this.#tell(['outcome', call, { thrown: encodeError(error) }])
    }
  }

  #send(value: unknown, of: 'arguments' | 'result', message: (packed: Packed) => ReferenceMessage): void {
    const { packed, transferList, exports } = this.pack(value, of)
    try {
      this.#options.post(message(packed), transferList)
    } catch (error) {
      // It never left: nobody over there will ever let go of it.
      this.release(exports.all)
      throw error
    }
  }

  /** Nobody on this side holds it any more. */
  #letGo(target: number): void {
    this.#received.get(target)?.close()
    this.#received.delete(target)
    this.#ended('imported', target, 'done')
    this.#tell(['release', target])
  }

  #tell(message: ReferenceMessage): void {
    if (!this.#down) this.#options.post(message)
  }
}
