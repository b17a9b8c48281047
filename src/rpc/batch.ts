import { systemClock } from '../base/clock.ts'
import type { CallMessage, ReplyMessage, WireValue } from '../wire/messages.ts'

/** @throws DataCloneError */
export type Post = (message: unknown, transferList?: readonly never[]) => void

/** Comlink's, of a value that is immutable. */
export type SmallReply = { readonly id: number; readonly value?: unknown }

/** How many messages travel together at most: with more, the other side would wait for what it could begin on. */
const MAX_BATCH = 25
/** Milliseconds within which a call, all that follows from it in its turn included, is quick. */
const QUICK_CALL_MS = 0.05
/** Milliseconds after which timers and other messages have their turn before the rest of a batch. */
const LONG_GROUP_MS = 1

/** Those that hold replies: an exit may come before their group is over. */
const unsent = new Set<Outbox>()
let listensToExit = false

function flushAtExit(outbox: Outbox): void {
  unsent.add(outbox)
  if (listensToExit) return
  listensToExit = true
  // One for all: there may be many callers, each with a port of its own.
  process.once('exit', () => {
    for (const one of unsent) one.flush()
  })
}

/**
 * The way to another thread. Small calls and replies that are held travel together, as the parts of one flat array:
 * most of what a small message costs is being one, and the names in it. Order is kept: whatever is not held goes after
 * what is.
 */
export class Outbox {
  /** Whether there is another thread at the end: on this one a held call would run as whoever came first in its turn. */
  readonly holds: boolean
  readonly #post: Post
  #held: unknown[] = []
  #count = 0
  #flushDue = false

  constructor(post: Post, { holds = true }: { holds?: boolean } = {}) {
    this.#post = post
    this.holds = holds
  }

  /** @throws DataCloneError */
  readonly post: Post = (message, transferList) => {
    this.flush()
    this.#post(message, transferList)
  }

  /** Until the code that is running comes to its end. The arguments are cloned then: they are immutable. */
  holdCall(id: number, method: string, args: readonly unknown[]): void {
    this.#held.push(id, method, args.length)
    // One by one: as arguments of push() there may be too many.
    for (const arg of args) this.#held.push(arg)
    this.#counted()
    if (this.#flushDue) return
    this.#flushDue = true
    queueMicrotask(() => {
      this.#flushDue = false
      this.flush()
    })
  }

  /** Until flush(). The value is cloned then: it is immutable. */
  holdReply(id: number, value: unknown): void {
    if (this.#held.length === 0) flushAtExit(this)
    this.#held.push(id, value)
    this.#counted()
  }

  #counted(): void {
    this.#count += 1
    if (this.#count >= MAX_BATCH) this.flush()
  }

  flush(): void {
    if (this.#held.length === 0) return
    const held = this.#held
    this.#held = []
    this.#count = 0
    unsent.delete(this)
    this.#post(held)
  }
}

/** The calls that were held together. */
export function callsOf(parts: readonly unknown[]): CallMessage[] {
  const calls: CallMessage[] = []
  for (let at = 0; at < parts.length;) {
    const [id, method] = [parts[at] as number, parts[at + 1] as string]
    const from = at + 3
    at = from + (parts[at + 2] as number)
    calls.push({ id, type: 'APPLY', path: [method], argumentList: parts.slice(from, at).map(raw) })
  }
  return calls
}

/** The replies that were held together. */
export function repliesOf(parts: readonly unknown[]): ReplyMessage[] {
  const replies: ReplyMessage[] = []
  for (let at = 0; at < parts.length; at += 2) {
    replies.push({ id: parts[at] as number, type: 'RAW', value: parts[at + 1] })
  }
  return replies
}

/** A value as Comlink sends what needs no surrogate. */
export function raw(value: unknown): WireValue {
  return { type: 'RAW', value }
}

export interface InboxOptions {
  /** How many calls may run together; 1 where their number at one time is limited, and counts. */
  readonly together?: number
  readonly now?: () => number
}

/**
 * The service's way in. Of calls that came together, those to methods that are known to be quick run together, and
 * their replies wait for one another; any other runs as if it had come alone: nobody's reply waits for it.
 */
export class Inbox {
  readonly #receive: (message: unknown) => void
  readonly #outbox: Outbox
  readonly #together: number
  readonly #now: () => number
  readonly #quick = new Set<string>()
  #queue: unknown[] = []
  /** Whether messages are being worked off one group at a time: what arrives meanwhile comes after them. */
  #isBusy = false
  #inGroup = false

  constructor(
    receive: (message: unknown) => void,
    outbox: Outbox,
    { together = MAX_BATCH, now = () => systemClock.now() }: InboxOptions = {},
  ) {
    this.#receive = receive
    this.#outbox = outbox
    this.#together = together
    this.#now = now
  }

  receive(message: unknown): void {
    if (this.#isBusy) {
      for (const one of Array.isArray(message) ? callsOf(message) : [message]) this.#queue.push(one)
    } else if (Array.isArray(message)) {
      this.#queue = callsOf(message)
      this.#isBusy = true
      this.#runGroup()
    } else this.#receive(message)
  }

  /** For a small reply: with those of its group, if it is in one. */
  reply(message: SmallReply): void {
    if (this.#inGroup) this.#outbox.holdReply(message.id, message.value)
    else this.#outbox.post(message)
  }

  readonly #runGroup = (): void => {
    const group = this.#nextGroup()
    if (group.length === 0) {
      this.#isBusy = false
      return
    }
    const from = this.#now()
    this.#inGroup = true
    try {
      for (const message of group) this.#receive(message)
    } finally {
      // A tick comes after all microtasks: what the calls do in their turn, and their replies, belong to the group.
      queueMicrotask(() => process.nextTick(this.#groupIsOver, group, from))
    }
  }

  readonly #groupIsOver = (group: readonly unknown[], from: number): void => {
    this.#inGroup = false
    // What is done is told before anything is begun, here or elsewhere in the thread, that may take long.
    this.#outbox.flush()
    const took = this.#now() - from
    for (const message of group) {
      const method = methodOf(message)
      if (method === undefined) continue
      if (took / group.length <= QUICK_CALL_MS) this.#quick.add(method)
      else this.#quick.delete(method)
    }
    if (took > LONG_GROUP_MS) setImmediate(this.#runGroup)
    else this.#runGroup()
  }

  #nextGroup(): unknown[] {
    const queue = this.#queue
    let size = 0
    while (size < Math.min(queue.length, this.#together) && this.#isQuick(queue[size])) size += 1
    return queue.splice(0, Math.max(size, 1))
  }

  #isQuick(message: unknown): boolean {
    const method = methodOf(message)
    return method !== undefined && this.#quick.has(method)
  }
}

/** Undefined for what is no call. */
function methodOf(message: unknown): string | undefined {
  return (message as Partial<CallMessage>).path?.[0]
}
