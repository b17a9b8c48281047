const MOST_BUCKETS = 8
const LONGEST_BAR = 50
const SHORTEST_BAR = 10
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

interface Bucket {
  readonly from: number
  readonly to: number
  readonly count: number
}

/** How often what was measured, within so many columns: a line for each bucket, those without a time in between too. */
export function histogram(times: readonly number[], width: number): string[] {
  const { buckets, step } = bucketsOf(times)
  const inSeconds = (buckets.at(-1)?.to ?? 0) >= 2000
  const table = buckets.map(({ from, to, count }) => ({
    from: amount(from, step, inSeconds),
    to: `${amount(to, step, inSeconds)} ${inSeconds ? 's' : 'ms'}`,
    count,
  }))
  const most = Math.max(...buckets.map(({ count }) => count), 1)
  const widths = {
    from: widest(table.map(({ from }) => from)),
    to: widest(table.map(({ to }) => to)),
    count: String(most).length,
  }
  const room = width - widths.from - widths.to - widths.count - ' to '.length - 3
  const length = Math.min(Math.max(room, SHORTEST_BAR), LONGEST_BAR)
  return table.map(({ from, to, count }) => {
    const bar = barOf((count / most) * length)
    return `${from.padStart(widths.from)} to ${to.padStart(widths.to)}  ${bar}${bar === '' ? '' : ' '}${count}`
  })
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length), 0)
}

/** With round limits; a time on a limit belongs to the bucket above it. */
export function bucketsOf(times: readonly number[]): { buckets: Bucket[]; step: number } {
  const least = times.reduce((a, b) => Math.min(a, b), Infinity)
  const greatest = times.reduce((a, b) => Math.max(a, b), -Infinity)
  if (least === Infinity) return { buckets: [], step: 1 }
  const step = stepFor(least, greatest)
  const first = indexOf(least, step)
  const counts = Array.from({ length: indexOf(greatest, step) - first + 1 }, () => 0)
  for (const time of times) counts[indexOf(time, step) - first]!++
  const buckets = counts.map((count, index) => ({
    from: rounded((first + index) * step),
    to: rounded((first + index + 1) * step),
    count,
  }))
  return { buckets, step }
}

/** 1, 2 or 5 of a power of ten; a tenth of a millisecond at least, which is as much as a report tells. */
function stepFor(least: number, greatest: number): number {
  for (let power = 0.1; ; power *= 10) {
    for (const factor of [1, 2, 5]) {
      const step = rounded(power * factor)
      if (indexOf(greatest, step) - indexOf(least, step) < MOST_BUCKETS) return step
    }
  }
}

function indexOf(time: number, step: number): number {
  // 0.3 / 0.1 is a little less than 3.
  return Math.floor(time / step + 1e-9)
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}

/** With as many digits as tell one limit from the next. */
function amount(ms: number, step: number, inSeconds: boolean): string {
  const unit = inSeconds ? 1000 : 1
  return (ms / unit).toFixed(Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9)))
}

function barOf(length: number): string {
  const eighths = length === 0 ? 0 : Math.max(Math.round(length * 8), 1)
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!
}
