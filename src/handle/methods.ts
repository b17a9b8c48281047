import { bulkheadError } from '../errors/bulkhead-error.ts'
import { isScheduledMethod } from '../schedule/metadata.ts'
import { LIBRARY_CLASS, ManagedService } from '../service/managed.ts'
import { Service } from '../service/service.ts'

type AnyClass = abstract new (...args: never[]) => object

/** What a handle has of its own: a service's method of that name could not be called through it. */
const HANDLE_MEMBERS: ReadonlySet<string> = new Set([
  ...namesOf(ManagedService.prototype),
  'label',
  'shortLabel',
  'isolation',
  'threadId',
  'with',
  'then',
])

/** Life cycle, hooks and helpers: never callable from outside. */
const SERVICE_MEMBERS: ReadonlySet<string> = new Set([...HANDLE_MEMBERS, ...namesOf(Service.prototype)])

const OBJECT_MEMBERS: ReadonlySet<string> = new Set([...namesOf(Object.prototype), 'toJSON'])

function namesOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor')
}

/** Whether a name can be a remote method at all; which of them exist, the service tells. */
export function isCallableName(name: string): boolean {
  return !name.startsWith('_') && !SERVICE_MEMBERS.has(name) && !OBJECT_MEMBERS.has(name)
}

/**
 * Names of the public methods that the service's own classes declare. With the instance, its tasks and timers are left
 * out, which the class alone does not tell.
 * @throws `ERR_RESERVED_NAME`
 */
export function callableMethods(serviceClass: AnyClass, instance?: object): string[] {
  const names = new Set<string>()
  let prototype = serviceClass.prototype as object | null
  while (prototype && !isLibraryPrototype(prototype)) {
    for (const name of namesOf(prototype)) {
      const { value } = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
      if (typeof value !== 'function') continue
      if (HANDLE_MEMBERS.has(name)) {
        throw bulkheadError('ERR_RESERVED_NAME', { className: serviceClass.name, name })
      }
      if (isCallableName(name) && !(instance && isScheduledMethod(instance, name))) names.add(name)
    }
    prototype = Object.getPrototypeOf(prototype) as object | null
  }
  return [...names]
}

/** What Service, Supervisor, Pool and Host declare is theirs, not the author's. */
function isLibraryPrototype(prototype: object): boolean {
  return prototype === Object.prototype || Object.hasOwn(prototype.constructor, LIBRARY_CLASS)
}
