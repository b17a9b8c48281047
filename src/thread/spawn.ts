import { threadId } from 'node:worker_threads'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { describe } from '../errors/describe.ts'
import { sinkLevel } from '../logging/sink.ts'
import type { ServiceNode } from '../service/node.ts'
import { type Carrier, InlineCarrier, ThreadCarrier } from './carrier.ts'
import { isDataCloneError } from './client.ts'
import type { Exports, Link } from './link.ts'
import type { ResolvedOptions, Source } from './options.ts'
import type { PackResult } from '../worker/pack.ts'
import type { Boot } from './protocol.ts'
import type { Pulse } from './pulse.ts'
import { isSendable } from './sendable.ts'
import { Server } from './server.ts'
import { libraryUrl } from '../worker/library-url.ts'
import { tsxFor } from '../worker/tsx.ts'

export interface SpawnOptions {
  /** Of the handle. */
  readonly node: ServiceNode
  readonly options: ResolvedOptions
  readonly restart: boolean
  readonly source: Source
  readonly link: Link
  readonly pulse: Pulse | undefined
  readonly receive: (message: unknown) => void
}

/**
 * Makes the place that a service lives in for one run, and sets its side going.
 * @throws `ERR_NOT_CLONEABLE`, `ERR_TSX_MISSING`, and what `new Worker` throws
 */
export function spawn(given: SpawnOptions): Carrier {
  const { node, options, link } = given
  const packed = link.pack(options.args, 'arguments')
  try {
    return options.isolation === 'thread' ? spawnThread(given, packed) : spawnInline(given, packed)
  } catch (error) {
    link.release(packed.exports.all)
    if (!isDataCloneError(error)) throw error
    const service = node.beacon.path
    const index = options.args.findIndex((arg) => !isSendable(arg))
    const what = index === -1 ? 'An option' : `Argument ${index + 1} of the constructor`
    throw bulkheadError('ERR_NOT_CLONEABLE', { what, service, reason: describe(error) }, { service })
  }
}

type PackedArguments = PackResult & { exports: Exports }

function spawnThread({ source, ...given }: SpawnOptions, args: PackedArguments): Carrier {
  const boot = bootOf({ source, ...given }, args)
  const data = {
    bulkhead: { serve: libraryUrl('thread/serve'), tsx: tsxFor(source.module), boot, pulse: given.pulse },
  }
  return new ThreadCarrier(data, args.transferList, given.options.thread, given.receive)
}

function spawnInline({ source, ...given }: SpawnOptions, args: PackedArguments): Carrier {
  const carrier = new InlineCarrier(threadId, given.receive)
  const transfer = [...args.transferList] as never
  // The clone that a thread's workerData is.
  const boot = structuredClone(bootOf({ source, ...given }, args), { transfer })
  const server = new Server(carrier.end, boot, { load: source.load, handle: given.node })
  void server.run()
  return carrier
}

function bootOf({ node, options, restart, source }: SpawnOptions, { packed }: PackedArguments): Boot {
  return {
    module: source.module,
    exportName: source.exportName,
    args: packed,
    label: options.givenLabel,
    path: node.beacon.path,
    restart,
    restartCount: node.restartCount,
    limits: options.limits,
    logLevel: sinkLevel(),
  }
}
