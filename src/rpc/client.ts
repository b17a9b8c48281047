import type { Clock } from '../base/clock.ts'
import { isImmutable } from '../base/walk.ts'
import { bulkheadError, isDataCloneError } from '../errors/bulkhead-error.ts'
import { decodeError } from '../errors/decode.ts'
import { describe } from '../errors/describe.ts'
import { type EncodedThrow, encodeError } from '../errors/encode.ts'
import type { Codec } from '../wire/codec.ts'
import type { ComlinkReply } from '../wire/comlink-messages.ts'
import type { Answer, CallMessage, CallPacket, ReplyBatch } from '../wire/messages.ts'
import type { Packed } from '../wire/pack.ts'
import { type Outbox, repliesOf } from './batch.ts'
import { answerOf, packedCall, plainCall } from './comlink-client.ts'
import type { CallTrace } from '../observe/trace-call.ts'
import type { References } from './references.ts'
import { isSendable } from './sendable.ts'

/** Calls under way, from which on those that follow in the same turn are sent together. */
const HOLD_FROM_PENDING = 8

export interface CallOptions {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

interface Pending {
  readonly method: string
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  cleanup?(): void
  /** What was exported of its arguments for as long as it lasts. */
  signals: readonly number[]
  readonly trace: CallTrace | undefined
}

export interface ClientOptions {
  readonly references: References
  readonly clock: Clock
  /** Path of the service, for messages. */
  readonly service: () => string
  readonly outbox: Outbox
  readonly codec: Codec
}

/**
 * The caller's side of calls, in Comlink's wire format. Unlike Comlink's own it keeps who waits: every call settles,
 * also when the other side is gone.
 */
export class Client {
  readonly #options: ClientOptions
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #closedWith: ((what: string) => unknown) | undefined

  constructor(options: ClientOptions) {
    this.#options = options
  }

  get pendingCalls(): number {
    return this.#pending.size
  }

  /**
   * Async, and awaiting, for the sake of errors: the stack of what is thrown here then goes on into whoever awaits the
   * call, and costs nothing until there is an error.
   */
  async call(
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
    trace?: CallTrace,
  ): Promise<unknown> {
    try {
      return await this.#begin(method, args, options, trace)
    } catch (error) {
      if (!(error instanceof RemoteThrow)) throw error
      const here: { stack?: string } = {}
      Error.captureStackTrace(here)
      throw decodeError(error.encoded, here.stack === undefined ? {} : { localStack: here.stack })
    }
  }

  #begin(
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
    trace: CallTrace | undefined,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closedWith) {
        reject(this.#closedWith(`A call of ${method}()`))
        return
      }
      const id = ++this.#lastId
      const pending: Pending = { method, resolve, reject, signals: [], trace }
      this.#pending.set(id, pending)
      try {
        // Most calls: what they bring cannot fail to be cloned, nor change before it is.
        if (options === undefined && args.every(isImmutable)) this.#sendSmall(id, method, args)
        else this.#send(id, pending, args, options)
      } catch (error) {
        this.#take(id)
        reject(this.#unsendable(error, method, args))
      }
    })
  }

  /** A call may have timed out or been aborted meanwhile: then nobody waits for its reply. */
  receive(reply: ComlinkReply): void {
    const pending = this.#take(reply.id)
    if (pending) this.#answer(pending, answerOf(reply))
  }

  receiveBatch(batch: ReplyBatch): void {
    for (const { id, value } of repliesOf(batch)) {
      const pending = this.#take(id)
      if (pending) this.#resolve(pending, { value })
    }
  }

  /** The other side is down: whatever has not settled rejects. */
  close(reason: (what: string) => unknown): void {
    if (this.#closedWith) return
    this.#closedWith = reason
    for (const id of [...this.#pending.keys()]) {
      const pending = this.#take(id)
      if (pending) this.#reject(pending, reason(`A call of ${pending.method}()`))
    }
  }

  #sendSmall(id: number, method: string, args: readonly unknown[]): void {
    const { outbox } = this.#options
    // While the other side has enough to do, nothing is lost by a call that comes at the end of this turn.
    if (outbox.holds && this.#pending.size > HOLD_FROM_PENDING) outbox.holdCall(id, method, args)
    else outbox.post(plainCall(id, method, args))
  }

  #send(id: number, pending: Pending, args: readonly unknown[], options: CallOptions | undefined): void {
    const { references, outbox } = this.#options
    const { packed, transferList, exports } = references.pack(args, 'arguments')
    const cancellable =
      options !== undefined && (options.timeout !== Infinity || options.signal !== undefined)
    pending.signals = exports.signals
    const plain = !packed.surrogates && !cancellable
    const message = plain
      ? plainCall(id, pending.method, packed.value as unknown[])
      : packedCall(id, pending.method, packet(packed, cancellable ? id : undefined))
    if (cancellable) this.#limit(id, pending, options)
    try {
      outbox.post(message, transferList)
    } catch (error) {
      references.release(exports.all)
      throw error
    }
  }

  #limit(id: number, pending: Pending, { timeout, signal }: CallOptions): void {
    const { clock, outbox } = this.#options
    const giveUp = (reason: unknown): void => {
      if (!this.#take(id)) return
      this.#reject(pending, reason)
      if (!this.#closedWith) outbox.post(['cancel', id, encodeError(reason)] satisfies CallMessage)
    }
    const cancelTimer = clock.after(timeout, () => {
      const service = this.#options.service()
      giveUp(bulkheadError('ERR_CALL_TIMEOUT', { service, method: pending.method, timeout }))
    })
    const onAbort = (): void => giveUp(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    pending.cleanup = () => {
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (!pending) return undefined
    this.#pending.delete(id)
    pending.cleanup?.()
    return pending
  }

  #answer(pending: Pending, answer: Answer): void {
    if ('value' in answer) {
      this.#resolve(pending, answer.value)
      return
    }
    if (pending.trace) pending.trace.rejectedBy = 'refused' in answer ? 'service' : 'method'
    if ('thrown' in answer) {
      this.#reject(pending, new RemoteThrow(answer.thrown))
    } else {
      this.#reject(pending, this.#notCloneable(`The result of ${pending.method}()`, answer.unclonable))
    }
  }

  #resolve(pending: Pending, packed: Packed): void {
    const { references } = this.#options
    const { signals, trace } = pending
    try {
      const value = references.unpack(packed)
      if (trace) trace.context.result = value
      pending.resolve(value)
    } catch (error) {
      this.#reject(pending, error)
      return
    }
    // A call that gives a stream lasts as long as that.
    if (signals.length === 0 && !trace) return
    references.afterStreams('imported', packed, (end) => {
      references.release(signals)
      trace?.streamEnded(end)
    })
  }

  #reject({ reject, signals }: Pending, reason: unknown): void {
    reject(reason)
    this.#options.references.release(signals)
  }

  #unsendable(error: unknown, method: string, args: readonly unknown[]): unknown {
    if (!isDataCloneError(error)) return error
    const { codec } = this.#options
    const index = args.findIndex((arg) => !isSendable(arg, codec))
    return this.#notCloneable(`Argument ${index + 1} of ${method}()`, describe(error))
  }

  #notCloneable(what: string, reason: string): Error {
    const service = this.#options.service()
    return bulkheadError('ERR_NOT_CLONEABLE', { what, service, reason })
  }
}

/** An error on its way to the one who awaits it, who decodes it. */
class RemoteThrow {
  readonly encoded: EncodedThrow
  constructor(encoded: EncodedThrow) {
    this.encoded = encoded
  }
}

function packet(args: CallPacket['args'], cancelId: number | undefined): CallPacket {
  return cancelId === undefined ? { args } : { args, cancelId }
}
