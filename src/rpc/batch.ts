import { systemClock } from '../base/clock.ts'
import type { ComlinkCall } from '../wire/comlink-messages.ts'
import type { CallMessage, ReplyBatch } from '../wire/messages.ts'
import { methodOf, plainCall } from './comlink-client.ts'
import type { Post } from './line.ts'

/** Comlink's, of a value that is immutable. */
export type SmallReply = { readonly id: number; readonly value?: unknown }

/** How many messages travel together at most: with more, the other side would wait for what it could begin on. */
const MAX_BATCH = 25
/** Milliseconds within which a call, all that follows from it in its turn included, is quick. */
const QUICK_CALL_MS = 0.05
/** Milliseconds after which timers and other messages have their turn before the rest of a batch. */
const LONG_GROUP_MS = 1

type Held = [tag: 'calls' | 'replies', ...parts: unknown[]]

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
  #held: Held | undefined
  #count = 0
  #flushDue = false

  constructor(post: Post, { holds = true }: { holds?: boolean } = {}) {
    this.#post = post
    this.holds = holds
  }

  readonly post: Post = (message, transferList) => {
    this.flush()
    this.#post(message, transferList)
  }

  /** Until the code that is running comes to its end. The arguments are cloned then: they are immutable. */
  holdCall(id: number, method: string, args: readonly unknown[]): void {
    const held = this.#hold('calls')
    held.push(id, method, args.length)
    // One by one: as arguments of push() there may be too many.
    for (const arg of args) held.push(arg)
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
    if (!this.#held) flushAtExit(this)
    this.#hold('replies').push(id, value)
    this.#counted()
  }

  /** One side of a conversation either calls or replies: what is held is of one kind, and else goes first. */
  #hold(tag: Held[0]): unknown[] {
    if (this.#held && this.#held[0] !== tag) this.flush()
    this.#held ??= [tag]
    return this.#held
  }

  #counted(): void {
    this.#count += 1
    if (this.#count >= MAX_BATCH) this.flush()
  }

  flush(): void {
    const held = this.#held
    if (!held) return
    this.#held = undefined
    this.#count = 0
    unsent.delete(this)
    this.#post(held)
  }
}

/** The calls that were held together, each as if it had come alone. */
export function callsOf(batch: Extract<CallMessage, readonly ['calls', ...unknown[]]>): ComlinkCall[] {
  const calls: ComlinkCall[] = []
  for (let at = 1; at < batch.length;) {
    const [id, method] = [batch[at] as number, batch[at + 1] as string]
    const from = at + 3
    at = from + (batch[at + 2] as number)
    calls.push(plainCall(id, method, batch.slice(from, at)))
  }
  return calls
}

/** The results that were told together. */
export function repliesOf(batch: ReplyBatch): SmallReply[] {
  const replies: SmallReply[] = []
  for (let at = 1; at < batch.length; at += 2) replies.push({ id: batch[at] as number, value: batch[at + 1] })
  return replies
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
      for (const one of isBatch(message) ? callsOf(message) : [message]) this.#queue.push(one)
    } else if (isBatch(message)) {
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

function isBatch(message: unknown): message is Extract<CallMessage, readonly ['calls', ...unknown[]]> {
  return Array.isArray(message) && message[0] === 'calls'
}
