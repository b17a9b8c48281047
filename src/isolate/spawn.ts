import { bulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { sinkLevel } from '../logging/sink.ts'
import type { ServiceNode } from '../service/node.ts'
import { compiledLibrary } from '../worker/compiled.ts'
import { libraryUrl } from '../worker/library-url.ts'
import { tsxFor } from '../worker/tsx.ts'
import { type Connection, ThreadConnection } from '../transport/connection.ts'
import { isDataCloneError } from '../rpc/client.ts'
import type { References } from '../rpc/references.ts'
import type { ResolvedOptions, Source } from './options.ts'
import type { Boot } from '../wire/messages.ts'
import type { Pulse } from '../transport/pulse.ts'
import { isSendable } from '../rpc/sendable.ts'
import type { EnvironmentChange } from '../wire/facts.ts'

/**
 * A thread with this library in it, which waits to be told what to serve.
 * @throws `ERR_TSX_MISSING`, and what `new Worker` throws
 */
export function spawnThread(options: ResolvedOptions, pulse: Pulse | undefined): ThreadConnection {
  const data = {
    serve: libraryUrl('serve/thread'),
    tsx: tsxFor(options.module),
    compiled: compiledLibrary?.shared(),
    pulse,
  }
  return new ThreadConnection(options.label, { bulkhead: data }, options.thread)
}

export interface BootOptions {
  /** Of the handle. */
  readonly node: ServiceNode
  readonly options: ResolvedOptions
  readonly restart: boolean
  readonly source: Source
  readonly references: References
  /** Since the thread was spawned. */
  readonly environment: EnvironmentChange | undefined
}

/**
 * Tells what was spawned what to serve.
 * @throws `ERR_NOT_CLONEABLE`
 */
export function boot(connection: Connection, given: BootOptions): void {
  const { node, options, references, source, restart, environment } = given
  const { packed, transferList, exports } = references.pack(options.args, 'arguments')
  const message: Boot = {
    module: options.module,
    exportName: source.exportName,
    args: packed,
    label: options.givenLabel,
    path: node.beacon.path,
    restart,
    restartCount: node.restartCount,
    limits: options.limits,
    logLevel: sinkLevel(),
    environment,
  }
  try {
    connection.post(message, transferList)
  } catch (error) {
    references.release(exports.all)
    if (!isDataCloneError(error)) throw error
    const service = node.beacon.path
    const index = options.args.findIndex((arg) => !isSendable(arg))
    const what = index === -1 ? 'An option' : `Argument ${index + 1} of the constructor`
    throw bulkheadError('ERR_NOT_CLONEABLE', { what, service, reason: describe(error) }, { service })
  }
}
