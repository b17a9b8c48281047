import type { Book, Entry, Step } from './book.ts'
import { type NodePlan, nodesOf } from './tree.ts'

/** One run of one instance, as its hooks wrote it down. */
interface Life {
  readonly id: number
  readonly instance: number
  readonly run: number
  readonly thread: number
  readonly begun: Set<Step>
  readonly ended: Set<Step>
  readonly thrown: Set<Step>
  /** Hooks that are under way. */
  readonly inside: Set<Step>
  tasks: number
}

interface Threads {
  readonly spawner: Map<number, number>
  readonly ended: Set<number>
  readonly killed: Set<number>
}

/** Past onStart, and its teardown is not over. */
function isLive({ ended, thrown, inside, tasks }: Life): boolean {
  return owesShutdown({ ended, thrown }) || inside.size > 0 || tasks > 0
}

function owesShutdown({ ended, thrown }: Pick<Life, 'ended' | 'thrown'>): boolean {
  return ended.has('onStart') && !ended.has('onShutdown') && !thrown.has('onShutdown')
}

function lineage(threads: Threads, thread: number, among: ReadonlySet<number>): boolean {
  for (let at: number | undefined = thread; at !== undefined; at = threads.spawner.get(at)) {
    if (among.has(at)) return true
  }
  return false
}

/**
 * What the book says against the contract (API §2): which hook may follow which, no two live instances of a service,
 * no parent down before what is below it.
 * @param byHand what somebody started itself, and what is below that: it may be up while what is above it is not
 * @param hasty the order ends where a budget does: abandoned hooks still run while the next ones do
 */
export function faultsIn(
  book: Book,
  root: NodePlan,
  { hasty, byHand }: { hasty: boolean; byHand: ReadonlySet<number> },
): string[] {
  const faults: string[] = []
  const lives = new Map<number, Map<string, Life>>()
  const threads: Threads = { spawner: new Map(), ended: new Set(), killed: new Set() }
  const firstStarted = new Set<number>()
  const below = new Map<number, readonly number[]>()
  for (const plan of nodesOf(root))
    below.set(
      plan.id,
      [...nodesOf(plan)].slice(1).map(({ id }) => id),
    )
  const gone = (life: Life): boolean => lineage(threads, life.thread, threads.ended)
  const isLiveHere = (life: Life): boolean => isLive(life) && !gone(life)

  for (const entry of book.entries()) {
    const { mark, step, id, instance, run, thread } = entry
    if (mark === 'exit') threads.ended.add(thread)
    else if (mark === 'kill') threads.killed.add(thread)
    else if (mark === 'spawned' && id !== thread) threads.spawner.set(thread, id)
    if (step === 'none') continue
    const wrong = (what: string): void => void faults.push(`${tell(entry)}: ${what}`)
    let ofNode = lives.get(id)
    if (!ofNode) lives.set(id, (ofNode = new Map()))
    if (lineage(threads, thread, threads.ended)) wrong('written by a thread that has ended')
    if (mark === 'begins' && (step === 'made' || step === 'postInit') && !hasty) {
      for (const other of ofNode.values()) {
        if (isLiveHere(other)) wrong(`${nameOf(other)} is still live: ${state(other)}`)
      }
    }
    if (step === 'made') continue
    const key = `${instance}.${run}`
    let life = ofNode.get(key)
    if (!life) {
      life = {
        id,
        instance,
        run,
        thread,
        begun: new Set(),
        ended: new Set(),
        thrown: new Set(),
        inside: new Set(),
        tasks: 0,
      }
      ofNode.set(key, life)
    }
    if (step === 'task') {
      life.tasks += mark === 'begins' ? 1 : -1
      if (mark === 'begins') {
        if (life.tasks > 1) wrong('the task runs twice')
        if (!life.ended.has('onStart')) wrong('a task before onStart was over')
        if (life.begun.has('onShutdown')) wrong('a task after onShutdown')
      }
      continue
    }
    if (mark === 'begins') {
      if (life.begun.has(step)) wrong('begins twice in one run')
      if (life.inside.size > 0 && !hasty) wrong(`begins inside ${[...life.inside].join()}`)
      life.begun.add(step)
      life.inside.add(step)
      const need = (what: Step): void => {
        if (!life.ended.has(what)) wrong(`${what} has not gone well before it`)
      }
      const after = (what: Step): void => {
        if (life.begun.has(what)) wrong(`comes after ${what}`)
      }
      if (step === 'onFirstStart') {
        if (firstStarted.has(instance)) wrong('a second time in one instance')
        firstStarted.add(instance)
        after('onStart')
      } else if (step === 'onStart') {
        after('onStop')
        if (life.begun.has('onFirstStart')) need('onFirstStart')
      } else if (step === 'onStarted') {
        need('onStart')
        after('onStop')
      } else if (step === 'onStop') {
        need('onStart')
        after('onShutdown')
      } else if (step === 'onShutdown') {
        need('onStart')
        if (!life.begun.has('onStop')) wrong('without onStop')
        if (life.tasks > 0 && !hasty) wrong('a task still runs')
        for (const child of hasty ? [] : (below.get(id) ?? [])) {
          if (byHand.has(child)) continue
          for (const other of lives.get(child)?.values() ?? []) {
            // A new instance of this one makes its children anew: those of others are not its own.
            if (isLiveHere(other)) wrong(`u${child} below it is still live: ${state(other)}`)
          }
        }
      }
    } else {
      life.inside.delete(step)
      ;(mark === 'ends' ? life.ended : life.thrown).add(step)
    }
  }

  for (const ofNode of lives.values()) {
    for (const life of ofNode.values()) {
      // A thread that was killed, or ended by a budget, takes its hooks along.
      if (lineage(threads, life.thread, threads.killed)) continue
      if (hasty && lineage(threads, life.thread, threads.ended)) continue
      const owed = ['onStop', 'onShutdown'].filter((step) => !life.begun.has(step as Step))
      // One that a budget abandoned may end well later, when nobody counts on it any more.
      const wentOn = hasty ? life.begun.has('onStarted') : life.ended.has('onStart')
      if (wentOn && owed.length > 0) faults.push(`${nameOf(life)} never got ${owed.join()}: ${state(life)}`)
      if (life.inside.size > 0 || life.tasks > 0)
        faults.push(`${nameOf(life)} is not at rest: ${state(life)}`)
    }
  }
  return faults
}

/** The nodes that are past onStart and not yet down. */
export function liveIn(book: Book): Set<number> {
  const lives = new Map<string, Set<Step>>()
  const ids = new Map<string, number>()
  const threads: Threads = { spawner: new Map(), ended: new Set(), killed: new Set() }
  const threadOf = new Map<string, number>()
  for (const { mark, step, id, instance, run, thread } of book.entries()) {
    if (mark === 'exit') threads.ended.add(thread)
    else if (mark === 'spawned' && id !== thread) threads.spawner.set(thread, id)
    if (step === 'none' || (mark !== 'ends' && mark !== 'throws')) continue
    const key = `${instance}.${run}`
    ids.set(key, id)
    threadOf.set(key, thread)
    const done = lives.get(key) ?? new Set()
    lives.set(key, done)
    if (mark === 'ends' || step === 'onShutdown') done.add(step)
  }
  const live = new Set<number>()
  for (const [key, done] of lives) {
    if (!done.has('onStart') || done.has('onShutdown')) continue
    if (!lineage(threads, threadOf.get(key)!, threads.ended)) live.add(ids.get(key)!)
  }
  return live
}

function list(steps: ReadonlySet<Step>): string {
  return [...steps].join(' ') || '-'
}

function nameOf({ id, instance, run, thread }: Life): string {
  return `u${id} instance ${instance} run ${run} on thread ${thread}`
}

function state({ begun, ended, thrown, inside, tasks }: Life): string {
  return `begun ${list(begun)}; ended ${list(ended)}; thrown ${list(thrown)}; in ${list(inside)}; tasks ${tasks}`
}

export function tell({ at, mark, step, id, instance, run, thread }: Entry): string {
  if (step === 'none') return `${at} ${mark} ${mark === 'spawned' ? `by ${id} ` : ''}thread ${thread}`
  return `${at} u${id}.${instance}.${run} on ${thread} ${step} ${mark}`
}
