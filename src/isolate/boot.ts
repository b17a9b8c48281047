import { bulkheadError, isDataCloneError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { sinkLevel } from '../logging/sink.ts'
import type { CallChannel } from '../rpc/call-channel.ts'
import { isSendable } from '../rpc/sendable.ts'
import type { ServiceNode } from '../service/node.ts'
import type { Connection } from '../transport/transport.ts'
import type { ToService } from '../wire/messages.ts'
import type { ResolvedOptions, Source } from './options.ts'

export interface BootOptions {
  /** The handle's node. */
  readonly node: ServiceNode
  readonly options: ResolvedOptions
  readonly restart: boolean
  readonly source: Source
  readonly connection: Connection
  readonly calls: CallChannel
}

/**
 * Tells a place what to serve.
 * @throws `ERR_NOT_CLONEABLE`
 */
export function boot({ node, options, calls, connection, source, restart }: BootOptions): void {
  const { packed, transferList, exports } = calls.references.pack(options.args, 'arguments')
  const boot = {
    module: options.spec.module,
    exportName: source.exportName,
    args: packed,
    label: options.givenLabel,
    path: node.beacon.path,
    restart,
    restartCount: node.restartCount,
    limits: options.limits,
    logLevel: sinkLevel(),
    isolation: connection.location.kind,
    environment: connection.environmentChange?.(),
  }
  try {
    calls.post(['boot', boot] satisfies ToService, transferList)
  } catch (error) {
    calls.references.release(exports.all)
    if (!isDataCloneError(error)) throw error
    const service = node.beacon.path
    const index = options.args.findIndex((arg) => !isSendable(arg, connection.codec))
    const what = index === -1 ? 'An option' : `Argument ${index + 1} of the constructor`
    throw bulkheadError('ERR_NOT_CLONEABLE', { what, service, reason: describe(error) })
  }
}
