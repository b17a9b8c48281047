import { types } from 'node:util'
import { fail } from './arguments.ts'
import { BulkheadError } from './bulkhead-error.ts'
import { oneLine } from './describe.ts'

/** A class of errors, abstract ones included. */
export type ErrorClass = abstract new (...args: never[]) => Error

const classByName = new Map<string, ErrorClass>()
const nameByPrototype = new Map<object, string>()
// The classes an error had where it was thrown, kept where this side does not know the nearest of them: a thread
// further on may, and must then get the error whole.
const originalClasses = new WeakMap<object, readonly string[]>()

function enter(errorClass: ErrorClass): void {
  classByName.set(errorClass.name, errorClass)
  nameByPrototype.set(errorClass.prototype as object, errorClass.name)
}

const BUILT_IN: readonly ErrorClass[] = [
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError,
  DOMException,
]
for (const errorClass of BUILT_IN) enter(errorClass)
// Newer than Node 20.
const { SuppressedError } = globalThis as { SuppressedError?: ErrorClass }
if (typeof SuppressedError === 'function') enter(SuppressedError)
const builtInNames: ReadonlySet<string> = new Set(classByName.keys())
enter(BulkheadError)

/**
 * Makes errors of this class arrive as its instances when they cross threads. To be called in every thread, best in
 * the file that defines the class; the class is known by its name. The constructor does not run for the instance that
 * arrives: it has the class's prototype and the own properties of the error that was thrown, but no `#private` fields.
 *
 * @throws BulkheadError `ERR_INVALID_ARGUMENT` for what is not a class of errors, and for another class of that name
 */
export function registerError(errorClass: ErrorClass): void {
  const prototype: unknown = typeof errorClass === 'function' ? errorClass.prototype : undefined
  if (!(prototype instanceof Error) && prototype !== Error.prototype) {
    fail(`registerError() needs a class that extends Error, and was given ${oneLine(errorClass)}`)
  }
  if (typeof errorClass.name !== 'string' || errorClass.name === '') {
    fail('registerError() needs a class with a name, by which the other thread finds its own')
  }
  const known = classByName.get(errorClass.name)
  if (known !== undefined && known !== errorClass) {
    fail(
      `registerError() already knows another class named ${errorClass.name}: rename one of them, or load the file that defines it once`,
    )
  }
  enter(errorClass)
}

/** Names of the classes of `error` that another thread may know, nearest first. */
export function classNamesOf(error: object): readonly string[] {
  const original = originalClasses.get(error)
  if (original !== undefined) return original
  const names: string[] = []
  try {
    const foreign = types.isNativeError(error) && !(error instanceof Error)
    // Bounded, because the prototypes that a Proxy answers with may never end.
    let prototype: object | null = Object.getPrototypeOf(error) as object | null
    for (let steps = 0; prototype !== null && steps < 100; steps++) {
      const name = nameByPrototype.get(prototype) ?? (foreign ? foreignBuiltIn(prototype) : undefined)
      if (name !== undefined) names.push(name)
      prototype = Object.getPrototypeOf(prototype) as object | null
    }
  } catch {
    // What was found until the Proxy threw will do.
  }
  return names
}

// The built-in classes of another realm (node:vm) are known by name alone.
function foreignBuiltIn(prototype: object): string | undefined {
  const errorClass: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof errorClass === 'function' && builtInNames.has(errorClass.name) ? errorClass.name : undefined
}

/**
 * A bare instance of the first class that is known here, else an `Error`. No constructor but the engine's own runs, so
 * that it is a native error whatever the class.
 */
export function instantiate(names: readonly string[], message: unknown, name: unknown): Error {
  const nearest = names.find((candidate) => classByName.has(candidate))
  const errorClass = (nearest === undefined ? undefined : classByName.get(nearest)) ?? Error
  // A DOMException keeps its message and name in slots that only its constructor fills.
  const isDOMException = errorClass === DOMException || errorClass.prototype instanceof DOMException
  // Its own stack is replaced anyway, and costs more than all the rest.
  const limit = Error.stackTraceLimit
  Reflect.set(Error, 'stackTraceLimit', 0)
  const error = (
    isDOMException
      ? Reflect.construct(DOMException, [text(message, ''), text(name, 'Error')], errorClass)
      : Reflect.construct(Error, [], errorClass)
  ) as Error
  Reflect.set(Error, 'stackTraceLimit', limit)
  if (nearest !== names[0]) originalClasses.set(error, names)
  return error
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}
