import { fileURLToPath } from 'node:url'
import { parentPort } from 'node:worker_threads'
import type * as piscina from 'piscina'
import { importModule } from '../base/import-module.ts'
import { someWithin } from '../base/walk.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { type EncodedThrow, encodeError } from '../errors/encode.ts'
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
      const parameters = { neededBy: service, module: moduleName(module), wanted: `a function "${name}"` }
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
  const moved = new Set<unknown>(transferList)
  // Cheap, and so it is with nearly every result; only what is not known to be cloneable is tried for real.
  if (!someWithin(value, (part, isContainer) => !isContainer && !isData(part) && !moved.has(part))) return
  try {
    structuredClone(value)
  } catch (error) {
    throw bulkheadError('ERR_NOT_CLONEABLE', { what, service, reason: describe(error) })
  }
}

function isData(value: object | symbol): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date
}

async function moved(outcome: TaskOutcome, transferList: readonly object[]): Promise<unknown> {
  // Only here: its code would cost every thread that moves nothing.
  const { move, transferableSymbol, valueSymbol } = (await importModule('piscina')) as typeof piscina
  return move({ [transferableSymbol]: transferList, [valueSymbol]: outcome } as never)
}
