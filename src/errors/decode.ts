import { describe, isErrorLike } from './describe.ts'
import type { EncodedError, EncodedThrow } from './encode.ts'
import { instantiate } from './registry.ts'
import { revive } from './revive.ts'

export interface DecodeOptions {
  /** The stack of the call on this side, to stand below the one from where it was thrown. */
  localStack?: string
}

const SEPARATOR = '    --- thrown in another thread, called from: ---'

/** Makes whole again what `encodeError` took apart. */
export function decodeError(encoded: EncodedThrow, options: DecodeOptions = {}): unknown {
  if (encoded.errors === undefined && encoded.buffers === undefined) return encoded.value
  const whole = new Map<object, unknown>()
  for (const bytes of encoded.buffers ?? []) {
    whole.set(bytes, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  }
  // All of them exist before the first is filled: they may refer to one another in circles.
  for (const [mark, error] of encoded.errors ?? []) {
    whole.set(mark, instantiate(error.classes, propertyOf(error, 'message'), propertyOf(error, 'name')))
  }
  for (const [mark, error] of encoded.errors ?? []) fill(whole.get(mark) as Error, error, whole)
  const thrown = revive(encoded.value, whole, { inPlace: false })
  if (options.localStack !== undefined && isErrorLike(thrown)) appendStack(thrown, options.localStack)
  return thrown
}

function propertyOf(error: EncodedError, wanted: string): unknown {
  return error.properties.find(([key]) => key === wanted)?.[1]
}

function fill(target: Error, { properties }: EncodedError, whole: Map<object, unknown>): void {
  let hasStack = false
  for (const [key, encoded, kind] of properties) {
    if (key === 'stack') hasStack = true
    const value = revive(encoded, whole, { inPlace: false })
    if (kind !== 'inherited' || !holds(target, key, value)) define(target, key, value, kind === 'own')
  }
  // Else it would show the stack of this very function.
  if (!hasStack) define(target, 'stack', describe(target), false)
}

function define(target: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true })
}

function holds(target: Error, key: string, value: unknown): boolean {
  try {
    return (target as unknown as Record<string, unknown>)[key] === value
  } catch {
    // A getter of the class that needs what only its constructor sets.
    return false
  }
}

function appendStack(error: Error, localStack: string): void {
  const frames = localStack.split('\n').filter((line) => /^\s+at /.test(line))
  if (frames.length === 0 || typeof error.stack !== 'string') return
  define(error, 'stack', [error.stack, SEPARATOR, ...frames].join('\n'), false)
}
