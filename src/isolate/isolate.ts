import type { Clock } from '../base/clock.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { loggerName } from '../logging/names.ts'
import type { Service, ServiceClass } from '../service/service.ts'
import { moduleUrl } from '../worker/module-url.ts'
import '../handle/received.ts'
import { IsolatedLifecycle } from './isolated-lifecycle.ts'
import { findExportName, isServiceClass, loadServiceClass } from '../serve/load.ts'
import { callableMethods } from '../handle/methods.ts'
import { type IsolateOptions, type ResolvedOptions, type Source, resolveOptions } from './options.ts'
import { type KnownMethods, ServiceProxy } from '../handle/proxy.ts'
import type { Isolated } from '../handle/types.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- constructors of any arguments, as InstanceType has it
type AnyServiceClass = abstract new (...args: any[]) => Service

type ArgsOption<A extends readonly unknown[]> = [] extends A
  ? [options?: IsolateOptions<A>]
  : [options: IsolateOptions<A> & { args: A }]

/**
 * A handle on a service that lives in a thread of its own, or inline behind the same handle.
 * @throws `ERR_NO_MODULE`, `ERR_RESERVED_NAME`, `ERR_INVALID_DURATION`, `ERR_INVALID_ARGUMENT`
 */
export function isolate<C extends AnyServiceClass>(
  service: C,
  ...options: ArgsOption<ConstructorParameters<C>>
): Isolated<InstanceType<C>>
/** The class is not loaded on this side: only the thread loads the module. */
export function isolate<T extends Service>(module: URL | string, options?: IsolateOptions): Isolated<T>
export function isolate(service: ServiceClass | URL | string, options: IsolateOptions = {}): ServiceProxy {
  return typeof service === 'function' ? isolateClass(service, options) : isolateModule(service, options)
}

function isolateClass(serviceClass: ServiceClass, options: IsolateOptions): ServiceProxy {
  const { name } = serviceClass
  if (!isServiceClass(serviceClass)) {
    throw bulkheadError('ERR_NOT_A_SERVICE', {
      module: 'isolate()',
      name: `The argument ${name || '(a function)'}`,
    })
  }
  const { module } = serviceClass as unknown as { module?: string | URL }
  if (module === undefined) throw bulkheadError('ERR_NO_MODULE', { className: name })
  const url = moduleUrl(module)
  const resolve = async (clock: Clock): Promise<Source> => {
    const exportName = options.export ?? (await knownOrGuessed(serviceClass, url, clock))
    // A name that was given is looked up inline too: what works inline works in a thread.
    const load =
      options.export === undefined ? async () => serviceClass : () => loadServiceClass(url, exportName)
    return { exportName, load }
  }
  return handleOn(resolveOptions(options, { label: name, module: url, resolve }), knownMethods(serviceClass))
}

/**
 * A module that is still being evaluated, because its top level awaits this very start, cannot be searched: its thread
 * then says what is wrong with it.
 */
async function knownOrGuessed(serviceClass: ServiceClass, url: string, clock: Clock): Promise<string> {
  let cancel: (() => void) | undefined
  const guess = new Promise<string>((resolve) => {
    cancel = clock.after(SEARCH_TIMEOUT_MS, () => resolve(serviceClass.name))
  })
  try {
    return await Promise.race([findExportName(serviceClass, url), guess])
  } finally {
    cancel?.()
  }
}

/** Far more than a module that has been loaded needs, in ms. */
const SEARCH_TIMEOUT_MS = 1000

function isolateModule(module: URL | string, options: IsolateOptions): ServiceProxy {
  const url = moduleUrl(module)
  const exportName = options.export ?? 'default'
  const source: Source = { exportName, load: () => loadServiceClass(url, exportName) }
  const defaults = { label: loggerName(url), module: url, resolve: async () => source }
  return handleOn(resolveOptions(options, defaults), { names: [], streams: new Set() })
}

function handleOn(options: ResolvedOptions, known: KnownMethods): ServiceProxy {
  return new ServiceProxy((node) => new IsolatedLifecycle(options, node), known)
}

function knownMethods(serviceClass: ServiceClass): KnownMethods {
  const names = callableMethods(serviceClass)
  const prototype = serviceClass.prototype as unknown as Record<string, object>
  const isStream = (name: string): boolean => prototype[name]?.constructor.name === 'AsyncGeneratorFunction'
  return { names, streams: new Set(names.filter(isStream)) }
}
