// oxlint-disable unicorn/require-post-message-target-origin -- a thread's port has no origin
import { availableParallelism, cpus } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'

// Not on the command line: threads inherit the flags they find there.
setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** What a ratio has to be for the row to pass. */
export type Target = { readonly atMost: number } | { readonly atLeast: number }

/** A line of the table, printed as JSON by the bench and read by run.ts. */
export interface Row {
  readonly what: string
  readonly unit: string
  readonly value: number
  /** What the value is held against; none for a value that has a target by itself. */
  readonly floor?: { readonly what: string; readonly value: number }
  /** Of the ratio, or of the value where there is no floor. */
  readonly median: number
  readonly quartiles: readonly [low: number, high: number]
  readonly target?: Target
}

/** Gives one sample, in the unit of its rows. */
export type Contender = () => Promise<number> | number

export type Samples<K extends string> = Readonly<Record<K, readonly number[]>>

/** Mark the lines that run.ts reads. */
export const ROW_MARK = '@row '
export const NOTE_MARK = '@note '

/**
 * Runs every contender once in each round, in turns, so that whatever else the machine does meets all of them alike.
 * Every other round goes backwards: none always comes after the same neighbour.
 */
export async function interleave<K extends string>(
  contenders: Readonly<Record<K, Contender>>,
  { rounds, warmups = 2 }: { rounds: number; warmups?: number },
): Promise<Samples<K>> {
  const names = Object.keys(contenders) as K[]
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (let round = -warmups; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      collectGarbage()
      const sample = await contenders[name]()
      if (round >= 0) samples[name].push(sample)
    }
  }
  return samples
}

/** Outside of what is measured: the garbage of one contender is not the next one's pause. */
export function collectGarbage(): void {
  gc()
}

export interface Comparison {
  readonly what: string
  readonly unit: string
  readonly samples: readonly number[]
  readonly floorWhat: string
  readonly floor: readonly number[]
  readonly target?: Target
}

/** The ratio is taken within each round, then its median: a slow second hits both sides of it. */
export function compare({ what, unit, samples, floorWhat, floor, target }: Comparison): void {
  const ratios = samples.map((sample, round) => sample / floor[round]!)
  const row: Row = {
    what,
    unit,
    value: median(samples),
    floor: { what: floorWhat, value: median(floor) },
    median: median(ratios),
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    ...(target ? { target } : {}),
  }
  print(row)
}

/** A value that is held against a number. */
export function measure(row: {
  what: string
  unit: string
  samples: readonly number[]
  target?: Target
}): void {
  const { what, unit, samples, target } = row
  const value = median(samples)
  const quartiles = [quantile(samples, 0.25), quantile(samples, 0.75)] as const
  print({ what, unit, value, median: value, quartiles, ...(target ? { target } : {}) })
}

function print(row: Row): void {
  console.log(ROW_MARK + JSON.stringify(row))
}

/** What a reader of the table has to know, below it. */
export function note(text: string): void {
  console.log(NOTE_MARK + text)
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = (sorted.length - 1) * at
  const below = sorted[Math.floor(place)] ?? NaN
  const above = sorted[Math.ceil(place)] ?? NaN
  return below + (above - below) * (place - Math.floor(place))
}

/** Milliseconds that `work` takes. */
export async function time(work: () => unknown): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

/** A worker without this library; its fixture says `ready` once it is there. */
export async function bareWorker(fixture: string): Promise<Worker> {
  const worker = new Worker(new URL(`./fixtures/${fixture}`, import.meta.url), { execArgv: [] })
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
  return worker
}

/** Asks a bare worker to close its port, and waits until it is gone. */
export function closed(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve())
    worker.postMessage('close')
  })
}

/** The machine in words. */
export function machine(): string {
  const { versions, platform, arch } = process
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim()
  const parts = [`Node ${versions.node}`, `${platform} ${arch}`, `${availableParallelism()} cores`, model]
  return parts.filter((part) => part).join(', ')
}
