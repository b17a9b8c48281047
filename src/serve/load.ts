import { fileURLToPath } from 'node:url'
import { importModule } from '../base/import-module.ts'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { LIBRARY_CLASS } from '../service/managed.ts'
import type { ServiceClass } from '../service/service.ts'

export async function loadServiceClass(module: string, exportName: string): Promise<ServiceClass> {
  const exports = (await importModule(module)) as Record<string, unknown>
  const name = moduleName(module)
  if (!Object.hasOwn(exports, exportName)) {
    throw bulkheadError('ERR_NO_SUCH_EXPORT', { neededBy: name, module: name, wanted: `"${exportName}"` })
  }
  const found = exports[exportName]
  if (!isServiceClass(found)) {
    throw bulkheadError('ERR_NOT_A_SERVICE', { module: name, name: `export "${exportName}"` })
  }
  return found
}

/** Known by a static that Service has, so that a second copy of this library counts too. */
export function isServiceClass(value: unknown): value is ServiceClass {
  return typeof value === 'function' && (value as { [LIBRARY_CLASS]?: true })[LIBRARY_CLASS] === true
}

const exportNames = new WeakMap<object, Promise<string>>()

/**
 * The name under which its `static module` exports the class, found by identity.
 * @throws `ERR_NO_SUCH_EXPORT`, and what importing the module throws
 */
export function findExportName(serviceClass: ServiceClass, module: string): Promise<string> {
  let name = exportNames.get(serviceClass)
  if (!name) {
    name = search(serviceClass, module)
    exportNames.set(serviceClass, name)
    // A module that failed to load may load the next time.
    name.catch(() => exportNames.delete(serviceClass))
  }
  return name
}

async function search(serviceClass: ServiceClass, module: string): Promise<string> {
  const exports = (await importModule(module)) as Record<string, unknown>
  for (const [name, value] of Object.entries(exports)) if (value === serviceClass) return name
  throw bulkheadError('ERR_NO_SUCH_EXPORT', {
    neededBy: serviceClass.name,
    module: moduleName(module),
    wanted: `the class ${serviceClass.name}`,
  })
}

function moduleName(module: string): string {
  return module.startsWith('file:') ? fileURLToPath(module) : module
}
