import { systemClock } from '../base/clock.ts'
import { Budget } from '../base/budget.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { bulkheadError, endedError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { encodeError } from '../errors/encode.ts'
import { callableMethods } from '../handle/methods.ts'
import { Dispatcher } from '../rpc/dispatcher.ts'
import { ServingChannel } from '../rpc/serving-channel.ts'
import { isInside } from '../service/context.ts'
import { markCrashed } from '../service/crash.ts'
import { describeWork } from '../service/describe-work.ts'
import { addLibrarySteps } from '../service/hooks.ts'
import { NODE, type ServiceNode } from '../service/node.ts'
import { putBehindHandle } from '../service/remote-node.ts'
import type { Service, ServiceClass } from '../service/service.ts'
import { beginStart } from '../service/start.ts'
import { startRecordOf } from '../service/start-record.ts'
import { stopNode } from '../service/stop.ts'
import { Stopwatch } from '../service/stopwatch.ts'
import { recordOf } from '../service/teardown-record.ts'
import type { StopOptions } from '../service/types.ts'
import type { ServiceEnd } from '../transport/transport.ts'
import type { RemoteStart } from '../wire/facts.ts'
import type { Boot, FromService, ReferenceMessage, ToService } from '../wire/messages.ts'
import { type Handlers, route } from '../wire/route.ts'
import { DirectCallers } from './direct-callers.ts'
import { watchTree } from './tree.ts'

/** What is steered here: the first message was another's business, and calls that came together have been told apart. */
type Received = Exclude<ToService | ReferenceMessage, readonly ['boot' | 'calls', ...unknown[]]>

export interface ServeOptions {
  /** Loads the class; what it throws fails the start. */
  readonly load: () => Promise<ServiceClass>
  /** The node of the handle, where both live on one thread. */
  handle?: ServiceNode
  /** Where the level of the handle's logger goes. */
  setLogLevel?(level: string): void
}

/** The service's side: makes the instance, starts it, takes calls and steering for it, and tells what becomes of it. */
export class Server {
  readonly #end: ServiceEnd
  readonly #boot: Boot
  readonly #options: ServeOptions
  readonly #channel: ServingChannel
  readonly #handlers: Handlers<Received>
  #node: ServiceNode | undefined
  #dispatcher: Dispatcher | undefined
  #others: DirectCallers | undefined
  #stopTold = false
  /** Who has asked the handle for something that may be under way already. */
  readonly #steering = new Set<() => void>()
  #unwatch: (() => void) | undefined
  #ended = false

  constructor(end: ServiceEnd, boot: Boot, options: ServeOptions) {
    this.#end = end
    this.#boot = boot
    this.#options = options
    this.#channel = new ServingChannel(end, {
      outbox: end.outbox,
      receive: (message) => route(message, this.#handlers, { comlink: this.#channel.call }),
      problem: (error, text) => this.#node?.lifecycle.problem(error, text),
      together: togetherFor(boot),
    })
    this.#handlers = {
      ...this.#channel.handlers,
      stop: ([, timeout]) => this.#stop(timeout),
      crash: ([, reason]) => this.#crash(decodeError(reason)),
      'set-shutdown': () => this.#node?.run.stop.shutdownWasSet(),
      'steer-joined': () => this.#steerJoined(),
      'log-level': ([, level]) => this.#options.setLogLevel?.(level),
      'describe-work': ([, id]) => void this.#describeWork(id),
      connect: ([, address]) => this.#others?.add(end.dial(address)),
    }
  }

  async run(): Promise<void> {
    const servedAt = systemClock.now()
    const making = new Stopwatch<'moduleLoad' | 'construction'>()
    const remoteStart = (): RemoteStart => {
      const record = this.#node && startRecordOf(this.#node)
      return { servedAt, ...making.soFar(systemClock.now()).steps, record }
    }
    try {
      const service = await this.#make(making)
      const node = service[NODE]
      this.#adopt(node)
      if (this.#stopTold) {
        throw bulkheadError('ERR_STOPPED_WHILE_STARTING', { service: this.#boot.path })
      }
      this.#tell(['step', 'start'])
      node.onChange(() => this.#rootChanged(node))
      const starting = beginStart(node, { restart: this.#boot.restart })
      await starting
      this.#tell(['started', remoteStart()])
    } catch (error) {
      this.#tell(['start-failed', encodeError(error), remoteStart()])
      // Marked by its handle: the stop that its teardown waits for may still be on its way.
      if (this.#node?.awaitsTurn) await this.#node.ended
      this.#finish((await this.#node?.down) ?? [])
    }
  }

  #tell(message: FromService): void {
    this.#channel.post(message)
  }

  async #make(times: Stopwatch<'moduleLoad' | 'construction'>): Promise<Service> {
    this.#tell(['step', 'load module'])
    times.enter('moduleLoad', systemClock.now())
    const serviceClass = (await this.#options.load()) as unknown as new (...args: unknown[]) => Service
    this.#tell(['step', 'constructor'])
    times.enter('construction', systemClock.now())
    const service = new serviceClass(...(this.#channel.references.unpack(this.#boot.args) as unknown[]))
    times.end(systemClock.now())
    const methods = callableMethods(serviceClass, service)
    const dispatcher = new Dispatcher(service[NODE], this.#boot.limits, this.#boot.isolation)
    this.#dispatcher = dispatcher
    this.#channel.serve(dispatcher, service, methods)
    this.#others = new DirectCallers({
      serve: (channel) => channel.serve(dispatcher, service, methods),
      problem: (error, text) => service[NODE].lifecycle.problem(error, text),
      together: togetherFor(this.#boot),
    })
    this.#tell(['loaded', methods])
    return service
  }

  #adopt(node: ServiceNode): void {
    const { restart, restartCount, label, path } = this.#boot
    this.#node = node
    putBehindHandle(node, {
      ...{ restart, restarts: restartCount, label, path, handle: this.#options.handle },
      place: this.#boot.isolation,
      steering: {
        stop: (options) => this.#steerStop(node, options),
        restart: () => this.#steer(node, ['steer', 'restart']),
      },
    })
    addLibrarySteps(node, { drain: (budget) => this.#dispatcher?.drain(budget) })
    this.#unwatch = watchTree(node.beacon, (change) => this.#tell(['tree', change]))
  }

  /** `this.stop()` in the service acts on the handle, which then stops this side. */
  async #steerStop(node: ServiceNode, options: StopOptions = {}): Promise<void> {
    const timeout = toMilliseconds(options.timeout ?? Infinity)
    return this.#steer(node, ['steer', 'stop', timeout])
  }

  async #steer(node: ServiceNode, message: FromService): Promise<void> {
    const { stopBegun } = node.run
    const joined = new Promise<void>((resolve) => this.#steering.add(resolve))
    this.#tell(message)
    await Promise.race([stopBegun, joined])
    if (!isInside(node)) await node.down
  }

  #rootChanged(node: ServiceNode): void {
    const { run } = node
    // Of a step of start that failed, start() tells.
    if (node.state === 'crashed' && !run.crash?.inStart && !run.stop.over) {
      this.#tell(['crashed', encodeError(node.crashReason)])
    }
    if (run.start.reachedRunning) void node.down?.then((errors) => this.#finish(errors))
  }

  #finish(errors: readonly unknown[]): void {
    if (this.#ended) return
    if (this.#node) this.#tell(['down', errors.map(encodeError), recordOf(this.#node)])
    this.#ended = true
    this.#unwatch?.()
    const service = this.#boot.path
    const lost = (): Error => endedError('A callback', service)
    this.#channel.close(lost)
    this.#others?.end(lost)
    this.#end.close()
  }

  #crash(reason: unknown): void {
    if (this.#node?.isUp) markCrashed(this.#node, reason)
  }

  #steerJoined(): void {
    for (const resolve of this.#steering) resolve()
    this.#steering.clear()
  }

  async #describeWork(id: number): Promise<void> {
    const work = this.#node ? await describeWork(this.#node.beacon) : []
    this.#tell(['work', id, work])
  }

  #stop(timeout: number): void {
    const node = this.#node
    this.#stopTold = true
    // Still loading: once the instance is there, it is not started.
    if (!node?.run.start.begun) return
    const down = stopNode(node, new Budget(node.clock, timeout))
    if (node.run.start.reachedRunning) void down?.then((errors) => this.#finish(errors))
  }
}

/** Calls that run together are all counted before one of them is done: with a limit, they must not be. */
function togetherFor({ limits }: Boot): number | undefined {
  return limits.concurrency === Infinity ? undefined : 1
}
