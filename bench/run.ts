// Runs the benches, each in a process of its own on compiled JavaScript, and prints one table.
//   npm run bench [-- name…]
import { spawn } from 'node:child_process'
import { buildBenches, cleanEnvironment, compiled } from './build.ts'
import { machine, ROW_MARK, type Row } from './harness.ts'
import { formatTable, misses } from './table.ts'

const BENCHES = ['calls', 'start', 'restart', 'shutdown', 'inline', 'memory', 'loop-delay', 'logs']

async function runBench(name: string): Promise<{ rows: Row[]; failed: boolean }> {
  const child = spawn(process.execPath, [compiled(name)], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const rows: Row[] = []
  for (const line of output.split('\n')) {
    if (line.startsWith(ROW_MARK)) rows.push(JSON.parse(line.slice(ROW_MARK.length)) as Row)
    else if (line !== '') console.error(line)
  }
  return { rows, failed: code !== 0 }
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !BENCHES.includes(name))
if (unknown.length > 0) {
  console.error(`No bench named ${unknown.join(', ')}: there are ${BENCHES.join(', ')}`)
  process.exit(2)
}
buildBenches()

const rows: Row[] = []
for (const name of names.length > 0 ? names : BENCHES) {
  console.error(`Running ${name}…`)
  const result = await runBench(name)
  rows.push(...result.rows)
  if (result.failed) {
    console.error(`The bench ${name} failed`)
    process.exitCode = 1
  }
}
console.log(`\n${formatTable(rows)}\n\n${machine()}. Medians over interleaved rounds; quartiles in brackets.`)
const short = misses(rows)
if (short > 0) console.log(`${short} of ${rows.filter((row) => row.target).length} targets missed.`)
