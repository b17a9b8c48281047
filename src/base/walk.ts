/** Levels that are walked by recursion, the fastest way; what lies deeper waits in a list, so that nothing overflows the stack. */
const MAX_NESTING = 100

/** What `CopyRules.standIn` answers for what is to be copied property by property. */
export const CONTENTS: unique symbol = Symbol('contents')

/** What becomes of all that is no container, and of what cannot be read. */
export interface CopyRules {
  /** What stands for an object, function or symbol that was not met before; `CONTENTS` for its copy. */
  standIn(value: unknown, depth: number): unknown
  /** What stands for a property whose getter threw; without it, or if it throws, so does the copy. */
  threw?(key: string | number, error: unknown): unknown
  /** What stands for a container that does not tell its properties, as only a Proxy can; without it the copy throws. */
  unreadable?(value: object): unknown
}

export interface CopyOptions {
  /** What stands for objects from the start; what stands for those that are met comes in addition. */
  seen?: Map<unknown, unknown>
  /** Whether each container stands for itself, with new contents; `false` by default. */
  inPlace?: boolean
}

/** A container whose turn has not come. */
interface Waiting {
  readonly source: object
  readonly copy: object
  readonly keys: readonly string[]
  readonly depth: number
}

/**
 * Copies a value of plain objects and arrays at any depth, circles kept; its rules say what stands for all else. Of
 * each container the own enumerable properties named by text are copied, `__proto__` as one of them.
 */
export class Copier {
  /** What stands for the objects that were met. A container is in it before it is filled: it may hold itself. */
  readonly seen: Map<unknown, unknown>
  readonly #rules: CopyRules
  readonly #inPlace: boolean
  #nesting = 0
  #waiting: Waiting[] | undefined

  constructor(rules: CopyRules, { seen = new Map(), inPlace = false }: CopyOptions = {}) {
    this.#rules = rules
    this.seen = seen
    this.#inPlace = inPlace
  }

  /** @param depth of `value` itself, which the rules are told */
  copy(value: unknown, depth = 0): unknown {
    const copy = this.within(value, depth)
    for (let next = this.#waiting?.pop(); next; next = this.#waiting?.pop()) this.take(next)
    return copy
  }

  /** As `copy()`, for the rules: what lies too deep comes only once the outermost `copy()` is about to return. */
  within(value: unknown, depth: number): unknown {
    if (isImmutable(value)) return value
    if (this.seen.has(value)) return this.seen.get(value)
    const standIn = this.#rules.standIn(value, depth)
    return standIn === CONTENTS ? this.container(value, depth) : standIn
  }

  private container(source: object, depth: number): unknown {
    let keys: readonly string[]
    let copy: object
    try {
      keys = Object.keys(source)
      copy = this.#inPlace ? source : emptyLike(source)
    } catch (error) {
      if (this.#rules.unreadable) return this.#rules.unreadable(source)
      throw error
    }
    this.seen.set(source, copy)
    const next = { source, copy, keys, depth }
    if (this.#nesting < MAX_NESTING) this.take(next)
    else (this.#waiting ??= []).push(next)
    return copy
  }

  private take({ source, copy, keys, depth }: Waiting): void {
    this.#nesting++
    if (Array.isArray(source) && isDense(source, keys)) {
      // By number is faster than by text.
      for (let index = 0; index < keys.length; index++) {
        ;(copy as unknown[])[index] = this.property(source, index, depth + 1)
      }
    } else {
      for (const key of keys) setOwn(copy, key, this.property(source, key, depth + 1))
    }
    this.#nesting--
  }

  private property(source: object, key: string | number, depth: number): unknown {
    let value: unknown
    try {
      value = (source as Record<string | number, unknown>)[key]
    } catch (error) {
      if (this.#rules.threw) return this.#rules.threw(key, error)
      throw error
    }
    return this.within(value, depth)
  }
}

function emptyLike(source: object): object {
  if (!Array.isArray(source)) return {}
  const array: unknown[] = []
  // With its holes.
  array.length = source.length
  return array
}

/** Whether an array has no holes and no properties beside its items. */
function isDense({ length }: readonly unknown[], keys: readonly string[]): boolean {
  return keys.length === length && (length === 0 || keys[length - 1] === String(length - 1))
}

/** Told of anything but primitives; `isContainer` of plain objects and arrays, which are told of after their contents. */
type Test = (value: object | symbol, isContainer: boolean) => boolean

interface Search {
  readonly test: Test
  readonly seen: Set<object>
  /** Containers whose turn has not come. */
  waiting: object[] | undefined
}

/** Whether `test` holds for `value` or for anything in it, in plain objects and arrays at any depth. */
export function someWithin(value: unknown, test: Test): boolean {
  const search: Search = { test, seen: new Set(), waiting: undefined }
  let found = isFound(search, value, 0)
  while (!found && search.waiting) {
    const next = search.waiting.pop()
    if (!next) break
    found = isFoundIn(search, next, 0)
  }
  return found
}

function isFound(search: Search, value: unknown, nesting: number): boolean {
  if (isImmutable(value)) return false
  if (!isContainer(value)) return search.test(value, false)
  if (search.seen.has(value)) return false
  search.seen.add(value)
  if (nesting < MAX_NESTING) return isFoundIn(search, value, nesting)
  ;(search.waiting ??= []).push(value)
  return false
}

function isFoundIn(search: Search, container: object, nesting: number): boolean {
  if (Array.isArray(container)) {
    for (const item of container) if (isFound(search, item, nesting + 1)) return true
  } else {
    for (const key of Object.keys(container)) {
      if (isFound(search, (container as Record<string, unknown>)[key], nesting + 1)) return true
    }
  }
  return search.test(container, true)
}

/** Whether structured clone takes `value` apart into its properties and nothing is lost: also with another realm's prototype. */
export function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

/** Whether it is the same whenever it is cloned, which it always can be. */
export function isImmutable(value: unknown): value is null | undefined | boolean | number | bigint | string {
  return (
    (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') || value === null
  )
}

/** Sets an own property, `__proto__` too. */
function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
  } else {
    ;(target as Record<string, unknown>)[key] = value
  }
}
