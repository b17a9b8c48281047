import type { MessagePort } from 'node:worker_threads'
import { ignoreRejection } from '../base/deferred.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { encodeError } from '../errors/encode.ts'
import { serviceLog } from '../logging/service-log.ts'
import type { Lifecycle } from '../service/lifecycle.ts'
import { NODE, type ServiceNode } from '../service/node.ts'
import { Outbox } from '../rpc/batch.ts'
import { type CallOptions, Client } from '../rpc/client.ts'
import { type SteerHandle, setHandleMarshaller } from '../rpc/handle-marshaller.ts'
import { References } from '../rpc/references.ts'
import type { ReferenceMessage, ReplyMessage, ToService } from '../wire/messages.ts'
import { ServiceProxy } from './proxy.ts'
import type { Channel, Remote } from './remote.ts'
import type { HandedHandle, HandleFacts } from '../wire/facts.ts'

/** How long a call waits for a start under way, in ms: the handle's own side bounds that start. */
const START_TIMEOUT = 30_000

/** A port straight to the service, of one of its runs. */
class PortChannel implements Channel {
  readonly threadId: number | undefined
  readonly methods: ReadonlySet<string> | undefined
  readonly #port: MessagePort
  readonly #references: References
  readonly #client: Client

  // Nothing here may hold the handle: as long as the port is open, it would never be collected.
  constructor(port: MessagePort, { path, threadId, methods }: HandleFacts, node: ServiceNode) {
    this.threadId = threadId
    this.methods = methods && new Set(methods)
    this.#port = port
    const log = serviceLog({ name: 'handle', prefix: () => path, path: () => path })
    const outbox = new Outbox((message, transferList) => port.postMessage(message, transferList))
    const references = new References({
      post: outbox.post,
      problem: (error, text) => log.exception(error, text),
    })
    const client = new Client({ references, clock: node.clock, service: () => path, outbox })
    this.#references = references
    this.#client = client
    port.on('message', (message: ReferenceMessage | ReplyMessage | readonly unknown[]) => {
      if ('kind' in message) references.receive(message)
      else client.receive(message)
    })
    port.unref()
  }

  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    const outcome = this.#client.call(method, args, options)
    // A process that waits for an answer has a reason to stay.
    this.#port.ref()
    const settled = (): void => {
      if (this.#client.pendingCalls === 0) this.#port.unref()
    }
    outcome.then(settled, settled)
    return outcome
  }

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel() as unknown as { port1: MessagePort; port2: MessagePort }
    this.#port.postMessage({ kind: 'connect', port: port2 } satisfies ToService, [port2])
    return port1
  }

  close(reason: (what: string) => Error): void {
    this.#client.close(reason)
    this.#references.close(() => reason('A callback or stream'))
    this.#port.close()
  }
}

/** What runs, for a handle that came from another thread: it follows what that thread's handle does. */
class ReceivedLifecycle implements Lifecycle, Remote {
  readonly shutdownPolicy = { wait: false, timeout: Infinity }
  readonly label: string
  readonly isolated: boolean
  readonly startTimeout = START_TIMEOUT
  /** Apart from this object, so that whoever updates it does not hold the handle. */
  readonly #current: { channel: PortChannel | undefined }
  readonly #steer: SteerHandle

  constructor(facts: HandleFacts, current: { channel: PortChannel | undefined }, steer: SteerHandle) {
    this.label = facts.label
    this.isolated = facts.isolated
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

function receive(
  handed: HandedHandle,
  steer: SteerHandle,
): ReturnType<Parameters<typeof setHandleMarshaller>[0]['receive']> {
  const { facts } = handed
  const current: { channel: PortChannel | undefined } = { channel: undefined }
  const known = { names: facts.methods ?? [], streams: new Set<string>() }
  const handle = new ServiceProxy(() => new ReceivedLifecycle(facts, current, steer), known)
  const node = handle[NODE]
  node.beacon.mount = facts.path
  node.parentElsewhere = 'a service in another thread'
  node.steering = {
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
  // Taken out here: an update that holds the node would hold the handle, which then is never collected.
  const { clock } = node
  const weak = new WeakRef(handle)
  const update = (now: HandedHandle): void => follow(now, current, weak.deref()?.[NODE], clock)
  follow(handed, current, node, clock)
  const { threadId: _gone, ...last } = facts
  // The side that had it tells no more: as far as this one can know, the service is down.
  const close = (): void => update({ facts: { ...last, state: 'stopped', started: false } })
  return { handle, update, close }
}

function follow(
  { facts, port }: HandedHandle,
  current: { channel: PortChannel | undefined },
  node: ServiceNode | undefined,
  clock: ServiceNode['clock'],
): void {
  const reason = facts.reason && decodeError(facts.reason)
  if (port) current.channel = new PortChannel(port, facts, { clock } as ServiceNode)
  if (facts.state === 'stopped' || facts.state === 'crashed') {
    endChannel(current, facts.path, facts.state === 'crashed' ? { reason } : undefined)
  }
  if (!node) return
  const previous = node.state
  node.restartCount = facts.restartCount
  if (previous === facts.state) return
  const begins = facts.state === 'starting' || !isLater(previous)
  if (begins) node.freshRun()
  node.run.reachedRunning = facts.started
  node.state = facts.state
  node.crashReason = reason
  node.announce(previous, reason)
}

/** Whether a run is known on this side. */
function isLater(state: ServiceNode['state']): boolean {
  return state !== 'init' && state !== 'stopped'
}

function endChannel(
  current: { channel: PortChannel | undefined },
  service: string,
  crash: { reason: unknown } | undefined,
): void {
  current.channel?.close((what) =>
    crash
      ? bulkheadError('ERR_SERVICE_CRASHED', { what, service }, { service, cause: crash.reason })
      : bulkheadError('ERR_SERVICE_STOPPED', { what, service }, { service }),
  )
  current.channel = undefined
}

function factsOf(handle: ServiceProxy): HandleFacts {
  const node = handle[NODE]
  const { threadId } = handle
  const { channel } = node.lifecycle as Lifecycle & Remote
  const methods = channel?.methods
  return {
    label: handle.label,
    path: node.beacon.path,
    state: node.state,
    started: node.started,
    restartCount: node.restartCount,
    isolated: handle.isolated,
    ...(threadId === undefined ? {} : { threadId }),
    ...(methods ? { methods: [...methods] } : {}),
    ...(node.state === 'crashed' ? { reason: encodeError(node.crashReason) } : {}),
  }
}

function handOver(handle: ServiceProxy): HandedHandle {
  const facts = factsOf(handle)
  const { channel } = handle[NODE].lifecycle as Lifecycle & Remote
  return facts.state === 'running' && channel ? { facts, port: channel.connect() } : { facts }
}

setHandleMarshaller({
  isHandle: (value) => value instanceof ServiceProxy,
  hand(value, changed) {
    const handle = value as ServiceProxy
    const stop = handle.onChange(() => changed(handOver(handle)))
    const steer: SteerHandle = async (verb, argument) => {
      if (verb === 'stop') return handle.stop({ timeout: argument as number })
      if (verb === 'crash') return handle.crash(decodeError(argument as ReturnType<typeof encodeError>))
      return handle[verb]()
    }
    return { now: handOver(handle), steer, stop }
  },
  receive,
})
