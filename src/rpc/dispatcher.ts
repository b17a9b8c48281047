import type { Budget } from '../base/budget.ts'
import { delay } from '../base/wait.ts'
import { isImmutable } from '../base/walk.ts'
import { bulkheadError, endedError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { type EncodedThrow, encodeError } from '../errors/encode.ts'
import { serves } from '../observe/channels.ts'
import { CallTrace } from '../observe/trace-call.ts'
import { runInside } from '../service/context.ts'
import type { ServiceNode } from '../service/node.ts'
import type { PlaceKind } from '../wire/facts.ts'
import type { CallLimits, CallPacket } from '../wire/messages.ts'
import type { Packed } from '../wire/pack.ts'
import { Arguments, type CallEndpoint, Reply } from './comlink-endpoint.ts'
import type { References } from './references.ts'

function thrown(error: unknown): Reply {
  return new Reply({ thrown: encodeError(error) })
}

function refused(error: unknown, trace: CallTrace | undefined): Reply {
  trace?.fail(error)
  return new Reply({ thrown: encodeError(error), refused: true })
}

/** The caller no longer waits: a call still queued never runs. */
export type CancelCall = (id: number, reason: EncodedThrow) => void

/** One of those who have a way to the service; each numbers its calls for itself. */
interface Caller extends Serving {
  readonly cancellable: Map<number, (reason: EncodedThrow) => void>
}

/** What a call that runs takes along. */
interface Serving {
  readonly references: References
  readonly trace?: CallTrace
}

interface Waiting {
  begin(): void
  refuse(error: unknown): void
}

/** Calls into a service: admits them, keeps count of them, and answers each. */
export class Dispatcher {
  readonly #node: ServiceNode
  readonly #limits: CallLimits
  readonly #isolation: PlaceKind
  readonly #waiting = new Set<Waiting>()
  #running = 0
  #closed = false
  #whenIdle: (() => void) | undefined

  /** `isolation`: the kind of place that this is. */
  constructor(node: ServiceNode, limits: CallLimits, isolation: PlaceKind) {
    this.#node = node
    this.#limits = limits
    this.#isolation = isolation
  }

  /** Exposes the callable methods and nothing else to one caller. Returns what cancels a call of that caller. */
  expose(
    instance: object,
    methods: readonly string[],
    references: References,
    endpoint: CallEndpoint,
  ): CancelCall {
    const caller: Caller = { references, cancellable: new Map() }
    const target = Object.create(null) as Record<string, (...args: unknown[]) => unknown>
    for (const method of methods) {
      target[method] = (...args) => this.#call(instance, method, args, caller)
    }
    endpoint.expose(target)
    return (id, reason) => caller.cancellable.get(id)?.(reason)
  }

  /** Queued calls are refused at once; those that run may finish. */
  drain(budget: Budget): Promise<void> | undefined {
    this.#closed = true
    for (const waiting of [...this.#waiting]) waiting.refuse(this.#stopped('A queued call'))
    // After a crash nobody waits for an answer any more.
    return this.#running === 0 || this.#node.state === 'crashed' ? undefined : this.#untilIdle(budget)
  }

  async #untilIdle(budget: Budget): Promise<void> {
    const limit = Math.min(this.#limits.drainTimeout, budget.remaining() / 2)
    const idle = new AbortController()
    this.#whenIdle = () => idle.abort()
    await delay(limit, { clock: this.#node.clock, signal: idle.signal })
    this.#whenIdle = undefined
  }

  #call(instance: object, method: string, given: unknown[], caller: Caller): unknown {
    const packet = given[0] instanceof Arguments ? given[0].packet : undefined
    const trace = serves.isHeard ? this.#trace(method) : undefined
    // Nobody who wants to know of it: nothing is made for it.
    const on: Serving = trace ? { references: caller.references, trace } : caller
    try {
      const waiting = this.#admit(method, caller, packet?.cancelId, trace)
      if (!waiting) return this.#run(instance, method, packet ?? given, on)
      return waiting.then(
        () => this.#run(instance, method, packet ?? given, on),
        (error: unknown) => refused(error, trace),
      )
    } catch (error) {
      return refused(error, trace)
    }
  }

  #trace(method: string): CallTrace {
    return new CallTrace(serves, { service: this.#node.beacon.path, isolation: this.#isolation, method })
  }

  /** It has been admitted. */
  #run(instance: object, method: string, given: CallPacket | unknown[], on: Serving): unknown {
    const { references, trace } = on
    if (trace) trace.context.queuedMs ??= 0
    let result: unknown
    try {
      const args = Array.isArray(given) ? given : (references.unpack(given.args) as unknown[])
      const run = (instance as Record<string, (...args: unknown[]) => unknown>)[method] as () => unknown
      const invoke = (): unknown => runInside(this.#node, () => Reflect.apply(run, instance, args))
      result = trace ? trace.begin(invoke) : invoke()
    } catch (error) {
      result = Promise.reject(error)
    }
    if (trace || !Array.isArray(given) || !isImmutable(result)) return this.#answer(result, given, on)
    // Most calls that do not wait: there is nothing to pack, and nothing to let go of.
    this.#settled()
    return result
  }

  async #answer(
    result: unknown,
    given: CallPacket | unknown[],
    { references, trace }: Serving,
  ): Promise<unknown> {
    let answer: Packed = { value: undefined }
    try {
      const value = await result
      if (isImmutable(value)) return value
      const { packed, transferList } = references.pack(value, 'result')
      answer = packed
      // What needs nothing more is a plain Comlink reply.
      if (!packed.surrogates && transferList.length === 0) return packed.value
      return new Reply({ value: packed }, transferList)
    } catch (error) {
      if (trace) {
        trace.rejectedBy = 'method'
        trace.fail(error)
      }
      return thrown(error)
    } finally {
      // A call that gives a stream lasts as long as that.
      if (trace || !Array.isArray(given)) {
        references.afterStreams('exported', answer, (end) => {
          if (!Array.isArray(given)) references.forgetSignals(given.args)
          trace?.streamEnded(end)
        })
      }
      this.#settled()
    }
  }

  #settled(): void {
    this.#running -= 1
    for (const next of this.#waiting) {
      if (this.#running >= this.#limits.concurrency) break
      next.begin()
    }
    if (this.#running === 0) this.#whenIdle?.()
  }

  /** Undefined when the call may run now, and is counted as running. */
  #admit(
    method: string,
    caller: Caller,
    cancelId: number | undefined,
    trace: CallTrace | undefined,
  ): Promise<void> | undefined {
    if (this.#closed || this.#node.state !== 'running') {
      const what = `A call of ${method}()`
      const service = this.#node.beacon.path
      throw bulkheadError('ERR_NOT_RUNNING', { service, state: this.#node.state, what })
    }
    const { concurrency, maxQueue } = this.#limits
    if (this.#running < concurrency) {
      this.#running += 1
      return undefined
    }
    if (this.#waiting.size >= maxQueue) {
      const what = `A call of ${method}()`
      const service = this.#node.beacon.path
      throw bulkheadError('ERR_OVERLOADED', { service, limit: maxQueue, what })
    }
    return this.#enqueue(caller, cancelId, trace)
  }

  #enqueue(
    { cancellable }: Caller,
    cancelId: number | undefined,
    trace: CallTrace | undefined,
  ): Promise<void> {
    const { clock } = this.#node
    const from = trace ? clock.now() : 0
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiting)
        if (cancelId !== undefined) cancellable.delete(cancelId)
      }
      const waiting: Waiting = {
        // Counted here, not when its turn of the microtask queue comes: the next in line looks at the count.
        begin: () => {
          leave()
          if (trace) trace.context.queuedMs = clock.now() - from
          this.#running += 1
          resolve()
        },
        refuse: (error) => (leave(), reject(error)),
      }
      this.#waiting.add(waiting)
      if (cancelId !== undefined) {
        cancellable.set(cancelId, (reason) => {
          if (trace) trace.cancelled = true
          waiting.refuse(decodeError(reason))
        })
      }
    })
  }

  #stopped(what: string): Error {
    const service = this.#node.beacon.path
    return endedError(what, service)
  }
}
