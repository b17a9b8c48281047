import type { Clock } from '../base/clock.ts'
import { ignoreRejection } from '../base/deferred.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { endedError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { encodeError } from '../errors/encode.ts'
import { serviceLog } from '../logging/service-log.ts'
import type { Lifecycle } from '../service/lifecycle.ts'
import { NODE, type ServiceNode } from '../service/node.ts'
import { CallChannel } from '../rpc/call-channel.ts'
import type { CallOptions } from '../rpc/client.ts'
import {
  type HandleMarshaller,
  type OfferedHandle,
  type SteerHandle,
  setHandleMarshaller,
} from '../rpc/handle-marshaller.ts'
import type { DirectLine, Offer } from '../rpc/line.ts'
import { type HandedHandle, type HandleFacts, type Location, type PlaceKind, PLACE } from '../wire/facts.ts'
import { route } from '../wire/route.ts'
import { type Steering, followRemote } from '../service/remote-node.ts'
import { ServiceProxy } from './proxy.ts'
import type { Channel, Remote } from './remote.ts'

/** How long a call waits for a start under way, in ms: the handle's own side bounds that start. */
const START_TIMEOUT_MS = 30_000

/** A line straight to the service, of one of its runs. */
class DirectChannel implements Channel {
  readonly location: Location | undefined
  readonly methods: ReadonlySet<string> | undefined
  readonly #line: DirectLine
  readonly #calls: CallChannel

  // Nothing here may hold the handle: as long as the line is open, it would never be collected.
  constructor(line: DirectLine, { path, location, methods }: HandleFacts, clock: Clock) {
    this.location = location
    this.methods = methods && new Set(methods)
    this.#line = line
    const log = serviceLog({ name: 'handle', prefix: () => path, path: () => path })
    const calls = new CallChannel(line, {
      clock,
      service: () => path,
      problem: (error, text) => log.exception(error, text),
    })
    this.#calls = calls
    line.listen((message) => route(message, calls.handlers, { comlink: calls.reply }))
  }

  call(...[method, args, options, trace]: Parameters<Channel['call']>): Promise<unknown> {
    const outcome = this.#calls.call(method, args, options, trace)
    // A process that waits for an answer has a reason to stay.
    this.#line.ref()
    const settled = (): void => {
      if (this.#calls.pendingCalls === 0) this.#line.unref()
    }
    outcome.then(settled, settled)
    return outcome
  }

  connect(): Offer | undefined {
    return this.#line.connect?.()
  }

  close(reason: (what: string) => Error): void {
    this.#calls.refuse(reason, { over: true })
    this.#line.close()
  }
}

/** By way of the side that has the handle, where no line leads straight to the service. */
class RelayedChannel implements Channel {
  readonly location: Location | undefined
  readonly methods: ReadonlySet<string> | undefined
  readonly #steer: SteerHandle

  constructor(steer: SteerHandle, { location, methods }: HandleFacts) {
    this.location = location
    this.methods = methods && new Set(methods)
    this.#steer = steer
  }

  async call(...[method, args, options, trace]: Parameters<Channel['call']>): Promise<unknown> {
    try {
      const value = await this.#steer('call', method, args, ...(options ? [options] : []))
      trace?.succeed()
      return value
    } catch (error) {
      // Whoever has the handle knows who rejected it, and does not say.
      if (trace) trace.rejectedBy = 'method'
      throw error
    }
  }

  connect(): undefined {}

  // What is under way rejects as all does that waits for that side.
  close(): void {}
}

type ClosableChannel = DirectChannel | RelayedChannel

/** What runs, for a handle that came from another thread: it follows what that thread's handle does. */
class ReceivedLifecycle implements Lifecycle, Remote {
  readonly shutdownPolicy = { wait: false, timeout: Infinity }
  readonly label: string
  readonly isolation: PlaceKind
  readonly startTimeout = START_TIMEOUT_MS
  /** Apart from this object, so that whoever updates it does not hold the handle. */
  readonly #current: { channel: ClosableChannel | undefined }
  readonly #steer: SteerHandle

  constructor(facts: HandleFacts, current: { channel: ClosableChannel | undefined }, steer: SteerHandle) {
    this.label = facts.label
    this.isolation = facts.isolation
    this.#current = current
    this.#steer = steer
  }

  get channel(): Channel | undefined {
    return this.#current.channel
  }

  setShutdown(): void {
    ignoreRejection(this.#steer('setShutdown'))
  }

  // The state machine acts on the handle at the other end; here nothing runs.
  logStep(): void {}
  problem(error: unknown, text: string): void {
    serviceLog({ name: 'handle', prefix: () => this.label, path: () => this.label }).exception(error, text)
  }
  postInit(): void {}
  dependencies(): [] {
    return []
  }
  firstStart(): void {}
  start(): void {}
  tasks(): [] {
    return []
  }
  started(): void {}
  restart(): void {}
  stop(): void {}
  shutdown(): void {}
}

const receive: HandleMarshaller['receive'] = (handed, steer, dial) => {
  const { facts } = handed
  const current: { channel: ClosableChannel | undefined } = { channel: undefined }
  const known = { names: facts.methods ?? [], streams: new Set<string>() }
  const handle = new ServiceProxy(() => new ReceivedLifecycle(facts, current, steer), known)
  const node = handle[NODE]
  const steering: Steering = {
    start: async () => void (await steer('start')),
    maybeStart: async () => (await steer('maybeStart')) as boolean,
    stop: async (options = {}) => void (await steer('stop', toMilliseconds(options.timeout ?? Infinity))),
    restart: async () => void (await steer('restart')),
    crash: async (reason) => {
      try {
        await steer('crash', encodeError(reason))
      } catch {
        // The side that has it is down, and the service with it: crash() never rejects.
      }
    },
  }
  node.standsFor({ path: facts.path, parent: 'a service in another thread', steering })
  // Taken out here: an update that holds the node would hold the handle, which then is never collected.
  const { clock } = node
  const weak = new WeakRef(handle)
  const open = ({ facts: now, address }: HandedHandle): ClosableChannel | undefined => {
    if (address !== undefined) return new DirectChannel(dial(address), now, clock)
    return now.state === 'running' ? new RelayedChannel(steer, now) : undefined
  }
  const update = (now: HandedHandle): void => follow(now, current, weak.deref()?.[NODE], open)
  follow(handed, current, node, open)
  const { location: _gone, ...last } = facts
  // The side that had it tells no more: as far as this one can know, the service is down.
  const close = (): void => update({ facts: { ...last, state: 'stopped', started: false } })
  return { handle, update, close }
}

function follow(
  handed: HandedHandle,
  current: { channel: ClosableChannel | undefined },
  node: ServiceNode | undefined,
  open: (handed: HandedHandle) => ClosableChannel | undefined,
): void {
  const { facts } = handed
  const reason = facts.reason && decodeError(facts.reason)
  current.channel = open(handed) ?? current.channel
  if (facts.state === 'stopped' || facts.state === 'crashed') {
    endChannel(current, facts.path, facts.state === 'crashed' ? { reason } : undefined)
  }
  const { state, started, restartCount } = facts
  if (node) followRemote(node, { state, started, restarts: restartCount, reason })
}

function endChannel(
  current: { channel: ClosableChannel | undefined },
  service: string,
  crash: { reason: unknown } | undefined,
): void {
  current.channel?.close((what) => endedError(what, service, crash))
  current.channel = undefined
}

function factsOf(handle: ServiceProxy): HandleFacts {
  const node = handle[NODE]
  const { location } = handle[PLACE]
  const { channel } = node.lifecycle as Lifecycle & Remote
  const methods = channel?.methods
  return {
    label: handle.label,
    path: node.beacon.path,
    state: node.state,
    started: node.started,
    restartCount: node.restartCount,
    isolation: handle.isolation,
    ...(location ? { location } : {}),
    ...(methods ? { methods: [...methods] } : {}),
    ...(node.state === 'crashed' ? { reason: encodeError(node.crashReason) } : {}),
  }
}

function handOver(handle: ServiceProxy): OfferedHandle {
  const facts = factsOf(handle)
  const { channel } = handle[NODE].lifecycle as Lifecycle & Remote
  const offer = facts.state === 'running' ? channel?.connect() : undefined
  return offer
    ? { handed: { facts, address: offer.address }, transfer: offer.transfer }
    : { handed: { facts }, transfer: [] }
}

setHandleMarshaller({
  isHandle: (value) => value instanceof ServiceProxy,
  hand(value, changed) {
    const handle = value as ServiceProxy
    const stop = handle.onChange(() => changed(handOver(handle)))
    const steer: SteerHandle = async (verb, argument, ...rest) => {
      if (verb === 'call') {
        const [args, options] = rest as [unknown[], CallOptions?]
        return ServiceProxy.callRemote(handle, { method: argument as string, args, options })
      }
      if (verb === 'stop') return handle.stop({ timeout: argument as number })
      if (verb === 'crash') return handle.crash(decodeError(argument as ReturnType<typeof encodeError>))
      return handle[verb]()
    }
    return { now: handOver(handle), steer, stop }
  },
  receive,
})
