import { isPlain, setOwn } from './encode.ts'

/** Puts back what stands behind the marks in `value`, in place: it is our own copy, fresh from the other side. */
export function revive(value: unknown, whole: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (whole.has(value)) return whole.get(value)
  if (!Array.isArray(value) && !isPlain(value)) return value
  whole.set(value, value)
  for (const key of Object.keys(value)) {
    setOwn(value, key, revive((value as Record<string, unknown>)[key], whole))
  }
  return value
}
