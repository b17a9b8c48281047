import { threadId } from 'node:worker_threads'

export const STEPS = [
  'none',
  'made',
  'postInit',
  'onRestart',
  'onFirstStart',
  'onStart',
  'onStarted',
  'onStop',
  'onShutdown',
  'task',
] as const
export type Step = (typeof STEPS)[number]

export const MARKS = ['none', 'begins', 'ends', 'throws', 'kill', 'exit', 'spawned', 'budget'] as const
export type Mark = (typeof MARKS)[number]

export interface Entry {
  readonly at: number
  readonly mark: Mark
  readonly step: Step
  /** Of the node in the plan. */
  readonly id: number
  readonly instance: number
  /** The how manieth run of that instance. */
  readonly run: number
  readonly thread: number
}

const FIELDS = 6
const HEADER = 2
const CAPACITY = 20_000
const NEXT = 0
const INSTANCES = 1

/**
 * What happened, in one order over all threads. In shared memory, where it outlives the thread that wrote it and costs
 * no message that could come late.
 */
export class Book {
  readonly memory: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(
    memory: SharedArrayBuffer = new SharedArrayBuffer(
      (HEADER + FIELDS * CAPACITY) * Int32Array.BYTES_PER_ELEMENT,
    ),
  ) {
    this.memory = memory
    this.#cells = new Int32Array(memory)
  }

  nextInstance(): number {
    return Atomics.add(this.#cells, INSTANCES, 1) + 1
  }

  add(mark: Mark, { step = 'none', id = 0, instance = 0, run = 0, thread = threadId }: Partial<Entry>): void {
    const index = Atomics.add(this.#cells, NEXT, 1)
    if (index >= CAPACITY) return
    const at = HEADER + index * FIELDS
    const fields = [STEPS.indexOf(step), id, instance, run, thread]
    for (const [offset, field] of fields.entries()) Atomics.store(this.#cells, at + 1 + offset, field)
    // Last: a thread that is ended while it writes leaves a line that counts as empty.
    Atomics.store(this.#cells, at, MARKS.indexOf(mark))
  }

  get full(): boolean {
    return Atomics.load(this.#cells, NEXT) > CAPACITY
  }

  *entries(): Generator<Entry> {
    const count = Math.min(Atomics.load(this.#cells, NEXT), CAPACITY)
    for (let index = 0; index < count; index++) {
      const at = HEADER + index * FIELDS
      const [mark = 0, step = 0, id = 0, instance = 0, run = 0, thread = 0] = this.#cells.subarray(
        at,
        at + FIELDS,
      )
      if (mark === 0) continue
      yield { at: index, mark: MARKS[mark]!, step: STEPS[step]!, id, instance, run, thread }
    }
  }
}
