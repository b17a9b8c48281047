import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { FOREVER_MS, patience } from '../support/patience.ts'

interface Outcome {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

async function run(...command: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, command, { env: { ...process.env, SEED: '7', LOG_LEVEL: 'warn' } })
  t.teardown(() => child.kill('SIGKILL'))
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (errors += chunk))
  await once(child, 'close', { signal: AbortSignal.timeout(FOREVER_MS) })
  return { code: child.exitCode, output, errors }
}

/** Time enough for several crashes and what comes of them. */
const SECONDS = patience

void t.test('services crash: not one wrong answer, and not one call without an answer', async (t) => {
  const { code, output, errors } = await run(
    'test/fixtures/patient.js',
    'examples/resilient/main.js',
    `${SECONDS}`,
  )
  const lines = errors.split('\n').filter((line) => line.startsWith('{'))
  const log = lines.map((line) => JSON.parse(line) as { event?: string; msg: string })
  const fallen = log.filter(({ msg }) => msg.endsWith('] Crashed')).length
  const supervised = log.filter(({ event }) => event === 'crash').length
  // Who was told to fall right before the stop may do so during it, which is an exit code of 1.
  t.ok(code === 0 || (code === 1 && fallen > supervised), `exit code ${code}`, { errors })
  t.comment(output)
  t.match(output, `${SECONDS} s of crashes, seed 7`)
  t.match(output, 'wrong answers: 0, calls without an answer: 0')
  const rows = output.split('\n').filter((line) => line.includes('│'))
  t.equal(rows.length, 1 + 7 + 1, 'a head, six services and a supervisor, a total')
  const [crashes, restarts, served, rejected, outage] = rows.at(-1)!.match(/\d+/g)?.map(Number) ?? []
  t.ok(crashes! > 3, `${crashes} crashes`)
  t.ok(restarts! > 0, `${restarts} restarts`)
  t.ok(served! > 100, `${served} calls served`)
  t.ok(rejected! > 0, `${rejected} calls rejected`)
  t.ok(outage! > 0, `${outage} ms`)
  t.ok(errors.includes('told to fall'), 'crashes are in the log')
  t.notOk(errors.includes('Starting...'), 'the rest is not')
})

void t.test('what it does not understand is told in one line', async (t) => {
  const { code, errors } = await run('--import', 'tsx', 'examples/resilient/main.ts', 'many')
  t.equal(code, 2)
  t.match(errors, /^usage: [^\n]+\n$/)
})
