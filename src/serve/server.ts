import type { MessagePort } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { Budget } from '../base/budget.ts'
import { toMilliseconds } from '../errors/arguments.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { encodeError } from '../errors/encode.ts'
import { isInside } from '../service/context.ts'
import { markCrashed } from '../service/crash.ts'
import { describeWork } from '../service/describe-work.ts'
import type { HooksLifecycle } from '../service/hooks.ts'
import { NODE, type ServiceNode } from '../service/node.ts'
import type { Service } from '../service/service.ts'
import { beginStart, startRecordOf } from '../service/start.ts'
import { stopNode } from '../service/stop.ts'
import { Stopwatch } from '../service/stopwatch.ts'
import { recordOf } from '../service/teardown-record.ts'
import type { StopOptions } from '../service/types.ts'
import { Inbox } from '../rpc/batch.ts'
import type { ServiceEnd } from '../transport/connection.ts'
import { type CancelCall, Dispatcher } from '../rpc/dispatcher.ts'
import { CallEndpoint, servePort } from '../rpc/comlink-endpoint.ts'
import { References } from '../rpc/references.ts'
import { callableMethods } from '../handle/methods.ts'
import type { Boot, FromService, ReferenceMessage, ToService } from '../wire/messages.ts'
import { watchTree } from './tree.ts'
import type { RemoteStart } from '../wire/facts.ts'

export type ServiceClass = abstract new (...args: never[]) => Service

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
  readonly #references: References
  #node: ServiceNode | undefined
  #dispatcher: Dispatcher | undefined
  readonly #endpoint: CallEndpoint
  readonly #ports = new Set<(reason: () => Error) => void>()
  #cancelCall: CancelCall | undefined
  #connect: ((port: MessagePort) => void) | undefined
  #stopTold = false
  /** Who has asked the handle for something that may be under way already. */
  readonly #steering = new Set<() => void>()
  #unwatch: (() => void) | undefined
  #ended = false

  constructor(end: ServiceEnd, boot: Boot, options: ServeOptions) {
    this.#end = end
    this.#boot = boot
    this.#options = options
    const { outbox } = end
    this.#references = new References({
      post: outbox.post,
      problem: (error, text) => this.#node?.lifecycle.problem(error, text),
    })
    const receive = (message: unknown): void => this.#receive(message as ToService | ReferenceMessage)
    const inbox = new Inbox(receive, outbox, { together: togetherFor(boot) })
    this.#endpoint = new CallEndpoint(
      (message, transferList) => {
        if (!this.#ended) outbox.post(message, transferList)
      },
      (message) => {
        if (!this.#ended) inbox.reply(message)
      },
    )
    end.listen((message) => inbox.receive(message))
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
        throw bulkheadError(
          'ERR_STOPPED_WHILE_STARTING',
          { service: this.#boot.path },
          { service: this.#boot.path },
        )
      }
      this.#tell({ kind: 'step', step: 'start' })
      node.onChange(() => this.#rootChanged(node))
      const starting = beginStart(node, { restart: this.#boot.restart })
      await starting
      this.#tell({ kind: 'started', start: remoteStart() })
    } catch (error) {
      this.#tell({ kind: 'start-failed', error: encodeError(error), start: remoteStart() })
      // Marked by its handle: the stop that its teardown waits for may still be on its way.
      if (this.#node?.awaitsTurn) await this.#node.run.ended.promise
      this.#finish((await this.#node?.run.down) ?? [])
    }
  }

  #tell(message: FromService): void {
    if (!this.#ended) this.#end.outbox.post(message)
  }

  async #make(times: Stopwatch<'moduleLoad' | 'construction'>): Promise<Service> {
    this.#tell({ kind: 'step', step: 'load module' })
    times.enter('moduleLoad', systemClock.now())
    const serviceClass = (await this.#options.load()) as unknown as new (...args: unknown[]) => Service
    this.#tell({ kind: 'step', step: 'constructor' })
    times.enter('construction', systemClock.now())
    const service = new serviceClass(...(this.#references.unpack(this.#boot.args) as unknown[]))
    times.end(systemClock.now())
    const methods = callableMethods(serviceClass, service)
    const dispatcher = new Dispatcher(service[NODE], this.#boot.limits)
    this.#dispatcher = dispatcher
    this.#cancelCall = dispatcher.expose(service, methods, this.#references, this.#endpoint)
    this.#connect = (port) => {
      const end = servePort(port, {
        expose: (references, endpoint) => dispatcher.expose(service, methods, references, endpoint),
        connect: (another) => this.#connect?.(another),
        problem: (error, text) => service[NODE].lifecycle.problem(error, text),
        together: togetherFor(this.#boot),
      })
      this.#ports.add(end)
      port.once('close', () => this.#ports.delete(end))
    }
    this.#tell({ kind: 'loaded', methods })
    return service
  }

  #adopt(node: ServiceNode): void {
    const { restart, restartCount, label, path } = this.#boot
    this.#node = node
    // beginStart counts the restart that this start is.
    node.restartCount = restartCount - (restart ? 1 : 0)
    node.givenLabel = label
    node.beacon.mount = path
    node.handle = this.#options.handle
    node.steering = {
      stop: (options) => this.#steerStop(node, options),
      restart: () => this.#steer(node, { kind: 'steer', verb: 'restart' }),
    }
    const lifecycle = node.lifecycle as HooksLifecycle
    lifecycle.drain = (budget) => this.#dispatcher?.drain(budget)
    this.#unwatch = watchTree(node.beacon, (change) => this.#tell({ kind: 'tree', change }))
  }

  /** `this.stop()` in the service acts on the handle, which then stops this side. */
  async #steerStop(node: ServiceNode, options: StopOptions = {}): Promise<void> {
    const timeout = toMilliseconds(options.timeout ?? Infinity)
    return this.#steer(node, { kind: 'steer', verb: 'stop', timeout })
  }

  async #steer(node: ServiceNode, message: FromService): Promise<void> {
    const { stopBegun } = node.run
    const joined = new Promise<void>((resolve) => this.#steering.add(resolve))
    this.#tell(message)
    await Promise.race([stopBegun, joined])
    if (!isInside(node)) await node.run.down
  }

  #rootChanged(node: ServiceNode): void {
    const { run } = node
    // Of a step of start that failed, start() tells.
    if (node.state === 'crashed' && !run.crashedWith?.inStart && !run.over) {
      this.#tell({ kind: 'crashed', reason: encodeError(node.crashReason) })
    }
    if (run.reachedRunning) void run.down?.then((errors) => this.#finish(errors))
  }

  #finish(errors: readonly unknown[]): void {
    if (this.#ended) return
    if (this.#node) {
      this.#tell({ kind: 'down', errors: errors.map(encodeError), record: recordOf(this.#node) })
    }
    this.#ended = true
    this.#unwatch?.()
    const service = this.#boot.path
    const lost = (): Error =>
      bulkheadError('ERR_SERVICE_STOPPED', { what: 'A callback', service }, { service })
    this.#references.close(lost)
    for (const end of this.#ports) end(lost)
    this.#end.close()
  }

  #receive(message: ToService | ReferenceMessage): void {
    if (!('kind' in message)) {
      this.#endpoint.receive(message)
      return
    }
    switch (message.kind) {
      case 'stop':
        this.#stop(message)
        break
      case 'crash':
        if (this.#node?.isUp) markCrashed(this.#node, decodeError(message.reason))
        break
      case 'steer-joined':
        for (const resolve of this.#steering) resolve()
        this.#steering.clear()
        break
      case 'set-shutdown':
        this.#node?.run.shutdown.resolve()
        break
      case 'log-level':
        this.#options.setLogLevel?.(message.level)
        break
      case 'cancel-call':
        this.#cancelCall?.(message.id, message.reason)
        break
      case 'describe-work':
        void this.#describeWork(message.id)
        break
      case 'connect':
        this.#connect?.(message.port)
        break
      default:
        this.#references.receive(message)
    }
  }

  async #describeWork(id: number): Promise<void> {
    const work = this.#node ? await describeWork(this.#node.beacon) : []
    this.#tell({ kind: 'work', id, work })
  }

  #stop(message: Extract<ToService, { kind: 'stop' }>): void {
    const node = this.#node
    this.#stopTold = true
    // Still loading: once the instance is there, it is not started.
    if (!node?.run.begun) return
    const down = stopNode(node, new Budget(node.clock, message.timeout))
    if (node.run.reachedRunning) void down?.then((errors) => this.#finish(errors))
  }
}

/** Calls that run together are all counted before one of them is done: with a limit, they must not be. */
function togetherFor({ limits }: Boot): number | undefined {
  return limits.concurrency === Infinity ? undefined : 1
}
