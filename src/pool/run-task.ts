import { bulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { type EncodedThrow, encodeError, isPlain } from '../errors/encode.ts'
import { type Packed, type Porter, pack, unpack } from '../worker/pack.ts'

/** A task on its way into a thread of the pool. */
export interface TaskCall {
  /** URL of the task module. */
  readonly module: string
  /** Which export to call. */
  readonly name: string
  readonly task: Packed
}

export type TaskOutcome = { readonly value: Packed } | { readonly thrown: EncodedThrow }

/** Functions, signals and streams stay where they are: a pool's thread serves one task after another, for anyone. */
export const plainPorter: Porter = {
  export: () => undefined,
  import: ({ type }) => {
    throw new Error(`Bulkhead: a pool task cannot take a ${type}`)
  },
}

/** In a thread of the pool. Never rejects: Piscina would strip the error of class, code and cause. */
export async function runTask({ module, name, task }: TaskCall): Promise<unknown> {
  try {
    const exports = (await import(module)) as Record<string, unknown>
    const run = exports[name]
    if (typeof run !== 'function') {
      throw bulkheadError('ERR_NO_SUCH_EXPORT', { service: 'the pool', module, wanted: `a function "${name}"` })
    }
    const result: unknown = await (run as (task: unknown) => unknown)(unpack(task, plainPorter))
    const { packed, transferList } = pack(result, plainPorter)
    refuseUncloneable(packed.value, name)
    const outcome: TaskOutcome = { value: packed }
    return transferList.length > 0 ? await moved(outcome, transferList) : outcome
  } catch (error) {
    return { thrown: encodeError(error) } satisfies TaskOutcome
  }
}

/**
 * Piscina posts the result where nothing catches what cannot be cloned: the thread would end of it.
 * @throws `ERR_NOT_CLONEABLE`
 */
function refuseUncloneable(value: unknown, name: string): void {
  if (isPlainData(value, new Set())) return
  try {
    structuredClone(value)
  } catch (error) {
    const what = `The result of task ${name}`
    throw bulkheadError('ERR_NOT_CLONEABLE', { what, service: 'the pool', reason: describe(error) })
  }
}

/** Cheap, and true for nearly every result; only what it does not know is tried for real. */
function isPlainData(value: unknown, seen: Set<object>): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false
  if (typeof value !== 'object' || value === null || seen.has(value)) return true
  seen.add(value)
  if (Array.isArray(value)) return value.every((item) => isPlainData(item, seen))
  if (isPlain(value)) return Object.values(value).every((item) => isPlainData(item, seen))
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date
}

async function moved(outcome: TaskOutcome, transferList: readonly object[]): Promise<unknown> {
  // Only here: its code would cost every thread that moves nothing.
  const { move, transferableSymbol, valueSymbol } = await import('piscina')
  return move({ [transferableSymbol]: transferList, [valueSymbol]: outcome } as never)
}
