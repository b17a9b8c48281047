import { CONTENTS, Copier, type CopyRules, isContainer } from '../base/walk.ts'

/**
 * Puts back what stands behind the marks in `value`. In place where `value` is our own, fresh from the other side; else
 * in a copy, so that what is revived twice without having been cloned shares nothing.
 */
export function revive(
  value: unknown,
  whole: Map<unknown, unknown>,
  { inPlace }: { inPlace: boolean },
): unknown {
  if (typeof value !== 'object' || value === null) return value
  return new Copier(REVIVAL, { seen: whole, inPlace }).copy(value)
}

const REVIVAL: CopyRules = { standIn: (value) => (isContainer(value) ? CONTENTS : value) }
