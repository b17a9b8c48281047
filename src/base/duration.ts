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
  // Adding 0 makes 0 of -0.
  return parsed !== undefined && parsed >= 0 ? parsed + 0 : undefined
}

function parseText(text: string): number | undefined {
  // ms() throws on empty text, and takes a bare number for milliseconds: here a unit is required. What it does not
  // know it answers with undefined, whatever its types say.
  if (!/[a-z]$/i.test(text)) return undefined
  return ms(text as ms.StringValue)
}

function parseUnits(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  let total: number | undefined
  try {
    if (Array.isArray(value)) return undefined
    for (const [unit, amount] of Object.entries(value)) {
      const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
      if (factor === undefined) return undefined
      if (amount === undefined) continue
      if (typeof amount !== 'number' || !(amount >= 0)) return undefined
      total = (total ?? 0) + amount * factor
    }
  } catch {
    // A getter or a Proxy that throws is no duration either.
    return undefined
  }
  return total
}
