import type { Duration } from '../base/duration.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import type { Lifecycle } from '../service/lifecycle.ts'
import { ManagedService } from '../service/managed.ts'
import { NODE, type ServiceNode } from '../service/node.ts'
import { calls } from '../observe/channels.ts'
import { CallTrace } from '../observe/trace-call.ts'
import type { CallOptions } from '../rpc/client.ts'
import { type Place, type PlaceKind, threadIdOf, PLACE } from '../wire/facts.ts'
import { isCallableName } from './methods.ts'
import type { Channel, Remote } from './remote.ts'
import { type RemoteCall, remoteStream, streamable } from './stream.ts'
import { waitForStart } from './wait-for-start.ts'

export interface WithOptions {
  /** How long a call may take; a number is milliseconds. Beyond it it rejects with `ERR_CALL_TIMEOUT`. @default Infinity */
  timeout?: Duration
  /** On its abort a call rejects with its reason; one that still waits for its turn never runs. @default none */
  signal?: AbortSignal
}

/** What is known of the remote methods before the thread is there. */
export interface KnownMethods {
  readonly names: readonly string[]
  readonly streams: ReadonlySet<string>
}

/**
 * A service that lives elsewhere, as this thread sees it: steered, supervised and drawn like any other, and beside that
 * with the methods of the real one. What `isolate()` returns.
 */
export class ServiceProxy extends ManagedService {
  readonly #remote: Remote
  readonly #streams: ReadonlySet<string>

  /** @internal */
  constructor(makeLifecycle: (node: () => ServiceNode) => Lifecycle & Remote, known: KnownMethods) {
    const lifecycle = makeLifecycle(() => this[NODE])
    super(() => lifecycle)
    this.#remote = lifecycle
    this.#streams = known.streams
    for (const name of known.names) defineRemote(this, name)
  }

  get label(): string {
    return this.#remote.label
  }
  get shortLabel(): string {
    return this.label
  }

  /** The kind of place that the service lives in. */
  get isolation(): PlaceKind {
    return this.#remote.isolation
  }

  /** The thread the service runs in; undefined while it is not up. */
  get threadId(): number | undefined {
    return threadIdOf(this[PLACE].location)
  }

  /** @internal */
  get [PLACE](): Place {
    const location = this[NODE].isUp ? this.#remote.channel?.location : undefined
    return { kind: this.isolation, location }
  }

  /** The remote methods alone, each call with these options. */
  with(options: WithOptions): object {
    const callOptions: CallOptions = {
      timeout: toMilliseconds(options.timeout ?? Infinity),
      signal: options.signal,
    }
    return new Proxy(Object.create(null) as object, {
      get: (_target, name) => (isRemoteName(name) ? remote(this, name, callOptions) : undefined),
    })
  }

  /** @internal */
  static callRemote(handle: ServiceProxy, call: Call): RemoteCall {
    const outcome = calls.isHeard ? handle.#sendTraced(call) : handle.#send(call)
    return handle.#streams.has(call.method) ? remoteStream(outcome) : streamable(outcome)
  }

  /** Somebody wants to know of it, from here to its end. */
  #sendTraced(call: Call): Promise<unknown> {
    const { method, options } = call
    const context = { service: this[NODE].beacon.path, isolation: this.isolation, method }
    const trace = new CallTrace(calls, context, options?.signal)
    // Of one that succeeds the channel tells, which knows whether there is a stream to wait for.
    return trace
      .begin(() => this.#send({ ...call, trace }))
      .catch((error: unknown) => {
        trace.fail(error)
        throw error
      })
  }

  #send(call: Call): Promise<unknown> {
    const { method, options } = call
    const node = this[NODE]
    const { channel } = this.#remote
    if (!isCallableName(method)) return Promise.reject(noSuchMethod(node, method))
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason as Error)
    if (node.state === 'running' && channel) return this.#callOver(channel, call)
    return this.#sendOnceStarted(call)
  }

  async #sendOnceStarted(call: Call): Promise<unknown> {
    const { method, options, trace } = call
    const node = this[NODE]
    const from = node.clock.now()
    const left = await waitForStart(node, method, this.#remote.startTimeout, options)
    const { channel } = this.#remote
    if (!channel) throw bulkheadError('ERR_NOT_RUNNING', refusal(node, method))
    if (trace) trace.context.queuedMs = node.clock.now() - from
    return this.#callOver(channel, { ...call, options: options && { ...options, timeout: left } })
  }

  #callOver(channel: Channel, { method, args, options, trace }: Call): Promise<unknown> {
    if (channel.methods?.has(method)) return channel.call(method, args, options, trace)
    return Promise.reject(noSuchMethod(this[NODE], method))
  }
}

interface Call {
  readonly method: string
  readonly args: readonly unknown[]
  readonly options: CallOptions | undefined
  readonly trace?: CallTrace
}

function remote(
  handle: ServiceProxy,
  method: string,
  options?: CallOptions,
): (...args: unknown[]) => RemoteCall {
  return (...args) => ServiceProxy.callRemote(handle, { method, args, options })
}

function refusal(node: ServiceNode, method: string): { service: string; state: string; what: string } {
  return { service: node.beacon.path, state: node.state, what: `A call of ${method}()` }
}

function noSuchMethod(node: ServiceNode, method: string): Error {
  const service = node.beacon.path
  return bulkheadError('ERR_NO_SUCH_METHOD', { service, method })
}

// `then` would make the handle a promise, `toJSON` something to print.
function isRemoteName(name: PropertyKey): name is string {
  return typeof name === 'string' && name !== 'then' && name !== 'toJSON'
}

function defineRemote(handle: ServiceProxy, name: string): (...args: unknown[]) => RemoteCall {
  const value = remote(handle, name)
  Object.defineProperty(handle, name, { value, configurable: true, writable: true })
  return value
}

// At the end of every handle's prototype chain: a name nobody knows is a method of the real service, found or refused
// when it is called. Once asked for, it is a property of the handle, and this is not reached again.
Object.setPrototypeOf(
  ServiceProxy.prototype,
  new Proxy(ManagedService.prototype, {
    get(target, name, receiver: unknown) {
      if (name in target || !isRemoteName(name)) return Reflect.get(target, name, receiver) as unknown
      return receiver instanceof ServiceProxy ? defineRemote(receiver, name) : undefined
    },
    getPrototypeOf: () => ManagedService.prototype,
  }),
)
