import ms from 'ms'

/**
 * A length of time. A number is milliseconds; a string has a unit, in the grammar of the `ms` package (`'250ms'`,
 * `'1.5s'`, `'2 min'`); an object has at least one unit. `Infinity` means no limit.
 */
export type Duration =
  | number
  | string
  | { days?: number; hours?: number; minutes?: number; seconds?: number; milliseconds?: number }

const UNITS: Readonly<Record<string, number>> = {
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1000,
  milliseconds: 1,
}

/** The duration in milliseconds, or undefined for what is not a duration. */
export function parseDuration(value: unknown): number | undefined {
  const parsed =
    typeof value === 'number' ? value : typeof value === 'string' ? parseText(value) : parseUnits(value)
  return parsed !== undefined && parsed >= 0 ? parsed : undefined
}

function parseText(text: string): number | undefined {
  // ms() throws on empty and very long text, and takes a bare number for milliseconds: here a unit is required.
  if (text.length === 0 || text.length > 100 || !/[a-z]\s*$/i.test(text)) return undefined
  return ms(text as ms.StringValue) as number | undefined
}

function parseUnits(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const units = Object.entries(value).filter(([, amount]) => amount !== undefined)
  if (units.length === 0) return undefined
  let total = 0
  for (const [unit, amount] of units) {
    const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
    if (factor === undefined || typeof amount !== 'number' || !(amount >= 0)) return undefined
    total += amount * factor
  }
  return total
}
