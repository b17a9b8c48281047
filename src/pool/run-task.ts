import { fileURLToPath } from 'node:url'
import { parentPort } from 'node:worker_threads'
import type * as piscina from 'piscina'
import { importModule } from '../base/import-module.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { type EncodedThrow, encodeError, isPlain } from '../errors/encode.ts'
import { PostSink } from '../logging/post-sink.ts'
import { setSink } from '../logging/sink.ts'
import type { LogRecord } from '../logging/types.ts'
import { setLoadingModule } from '../service/loading.ts'
import { type Packed, type Marshaller, pack, unpack } from '../wire/pack.ts'

/** A task on its way into a thread of the pool. */
export interface TaskCall {
  /** Path of the pool, for messages. */
  readonly service: string
  /** URL of the task module. */
  readonly module: string
  /** Which export to call. */
  readonly name: string
  readonly task: Packed
  /** Of the logger that the lines of the task go to. */
  readonly logLevel?: string
}

/** A line that a task has logged, on its way to the pool's side. */
export interface TaskLog {
  readonly bulkheadLog: LogRecord
}

export type TaskOutcome = { readonly value: Packed } | { readonly thrown: EncodedThrow }

/** Functions, signals and streams stay where they are: a pool's thread serves one task after another, for anyone. */
export const plainMarshaller: Marshaller = {
  export: () => undefined,
  import: ({ type }) => {
    throw new Error(`Bulkhead: a pool task cannot take a ${type}`)
  },
}

/** In a thread of the pool. Never rejects: Piscina would strip the error of class, code and cause. */
export async function runTask({ service, module, name, task, logLevel }: TaskCall): Promise<unknown> {
  try {
    sendLogTo(logLevel)
    const exports = await load(module)
    const run = Object.hasOwn(exports, name) ? exports[name] : undefined
    if (typeof run !== 'function') {
      const parameters = { service, module: moduleName(module), wanted: `a function "${name}"` }
      throw bulkheadError('ERR_NO_SUCH_EXPORT', parameters, { service })
    }
    const result: unknown = await (run as (task: unknown) => unknown)(unpack(task, plainMarshaller))
    const { packed, transferList } = pack(result, plainMarshaller)
    refuseUncloneable({ value: packed.value, transferList, what: `The result of task ${name}`, service })
    const outcome: TaskOutcome = { value: packed }
    return transferList.length > 0 ? await moved(outcome, transferList) : outcome
  } catch (error) {
    return { thrown: encodeError(error) } satisfies TaskOutcome
  }
}

let sink: PostSink | undefined

function sendLogTo(level: string | undefined): void {
  if (!sink) {
    const port = parentPort
    sink = new PostSink({ post: (record) => port?.postMessage({ bulkheadLog: record } satisfies TaskLog) })
    setSink(sink)
  }
  if (level !== undefined && sink.level !== level) sink.level = level
}

let loading: Promise<Record<string, unknown>> | undefined

/** Nothing may start meanwhile: a file that holds the tasks and starts the program would start itself again. */
function load(module: string): Promise<Record<string, unknown>> {
  if (!loading) {
    setLoadingModule(moduleName(module))
    loading = (importModule(module) as Promise<Record<string, unknown>>).finally(() =>
      setLoadingModule(undefined),
    )
    // A module that failed to load may load the next time.
    loading.catch(() => (loading = undefined))
  }
  return loading
}

function moduleName(module: string): string {
  return module.startsWith('file:') ? fileURLToPath(module) : module
}

/**
 * Piscina posts the result where nothing catches what cannot be cloned: the thread would end of it.
 * @throws `ERR_NOT_CLONEABLE`
 */
function refuseUncloneable(result: {
  value: unknown
  transferList: readonly object[]
  what: string
  service: string
}): void {
  const { value, transferList, what, service } = result
  if (isPlainData(value, new Set(transferList))) return
  try {
    structuredClone(value)
  } catch (error) {
    throw bulkheadError('ERR_NOT_CLONEABLE', { what, service, reason: describe(error) }, { service })
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
  const { move, transferableSymbol, valueSymbol } = (await importModule('piscina')) as typeof piscina
  return move({ [transferableSymbol]: transferList, [valueSymbol]: outcome } as never)
}
