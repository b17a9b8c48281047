// `npm run chaos -- [--runs N] [--seed N] [--jobs N] [--verbose]`: random trees, random mishaps. A run that fails prints
// its seed; `--runs 1 --seed N --verbose` tells its story.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { oneRun } from './one-run.ts'

/** How long a process that is done may live on. */
const END_WITHIN = 5000

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    verbose: { type: 'boolean', default: false },
  },
})
const runs = number('runs', values.runs)
const jobs = Math.min(number('jobs', values.jobs), runs)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 30) : number('seed', values.seed)

if (jobs > 1) await shareOut()
else await doAll()

function number(name: string, text: string): number {
  if (!/^\d+$/.test(text)) {
    console.error(`--${name} is ${text}: give a whole number`)
    process.exit(2)
  }
  return Number(text)
}

async function doAll(): Promise<void> {
  let operations = 0
  let threads = 0
  let withThreads = 0
  let done = 0
  for (let at = seed; at < seed + runs; at++) {
    done += 1
    const result = await oneRun(at)
    operations += result.operations
    threads += result.threads
    if (result.threads > 0) withThreads += 1
    if (values.verbose) console.log(result.story())
    if (result.faults.length === 0) continue
    console.log(`FAILED seed ${at}\n${result.faults.slice(0, 10).join('\n')}`)
    console.log(`Once more: npm run chaos -- --runs 1 --seed ${at} --verbose`)
    process.exitCode = 1
    // What it left behind would be held against the next ones.
    break
  }
  console.log(`did ${done} runs, ${operations} operations, ${threads} threads in ${withThreads} runs`)
}

/** In processes of their own, each of which has to end by itself. */
async function shareOut(): Promise<void> {
  const from = performance.now()
  console.log(`chaos: ${runs} runs from seed ${seed}, ${jobs} processes`)
  const share = Math.ceil(runs / jobs)
  const shares = Array.from({ length: jobs }, (_, job) => ({
    seed: seed + job * share,
    runs: Math.min(share, runs - job * share),
  }))
  const went = await Promise.all(shares.filter((one) => one.runs > 0).map(doShare))
  console.log(`chaos: ${Math.round((performance.now() - from) / 1000)} s`)
  if (went.includes(false)) process.exitCode = 1
}

function doShare(share: { seed: number; runs: number }): Promise<boolean> {
  const args = ['--runs', `${share.runs}`, '--seed', `${share.seed}`, '--jobs', '1']
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve) => {
    let out = ''
    let timer: NodeJS.Timeout | undefined
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
      if (!/^did /m.test(out) || timer) return
      timer = setTimeout(() => {
        console.log(`FAILED: a process did not end by itself, runs ${share.runs} seed ${share.seed}`)
        child.kill('SIGKILL')
      }, END_WITHIN)
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      process.stdout.write(out)
      if (code !== 0) console.log(`a process ended with ${code}, runs ${share.runs} from seed ${share.seed}`)
      resolve(code === 0)
    })
  })
}
