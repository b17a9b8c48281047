const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** Beyond a second, what clocks have. */
const STEPS = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 6, 12, 24].map((hours) => hours * HOUR),
]
const MOST_TICKS = 8

/** Round milliseconds from 0 to the end, at most nine of them. */
export function axisTicks(endMs: number): number[] {
  const least = endMs / MOST_TICKS
  const step = STEPS.find((one) => one >= least) ?? 10 ** Math.ceil(Math.log10(least))
  return Array.from({ length: Math.floor(endMs / step + 1e-9) + 1 }, (_, index) =>
    Number((index * step).toFixed(6)),
  )
}
