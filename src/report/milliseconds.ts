/** `0.4 ms`, `12 ms`, `1.25 s`, `3 min 5 s`. */
export function formatMs(ms: number): string {
  if (ms < 9.95) return `${trim(ms, 1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_995) return `${trim(ms / 1000, 2)} s`
  const seconds = Math.round(ms / 1000)
  const rest = seconds % 60
  return `${Math.floor(seconds / 60)} min${rest === 0 ? '' : ` ${rest} s`}`
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}

/** As reports have them. */
export function tenths(ms: number): number {
  // Adding 0 makes 0 of -0.
  return Math.round(ms * 10) / 10 + 0
}
