// Runs the benches, each in a process of its own on compiled JavaScript, and prints one table.
//   npm run bench [-- name…]
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machine, ROW_MARK, type Row } from './harness.ts'
import { formatTable, misses } from './table.ts'

const BENCHES = ['calls', 'start', 'restart', 'shutdown', 'inline', 'memory']

const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)
const sources = ['src', 'workers', 'bench'].map((name) => new URL(`${name}/`, root))

function newest(folder: URL): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
  return Math.max(...files.map((file) => statSync(`${file.parentPath ?? file.path}/${file.name}`).mtimeMs))
}

function isBuilt(): boolean {
  const last = new URL('bench/run.js', dist)
  return existsSync(last) && statSync(last).mtimeMs > Math.max(...sources.map(newest))
}

/** The library and the benches, in one go: what is measured has no loader between it and Node. */
function build(): void {
  console.error('Building…')
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root))
  const project = fileURLToPath(new URL('tsconfig.json', import.meta.url))
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(status ?? 1)
}

async function runBench(name: string): Promise<{ rows: Row[]; failed: boolean }> {
  const file = fileURLToPath(new URL(`bench/${name}.js`, dist))
  // Its own flags, not this process's: tsx in the floors' threads would make them look slow.
  const { BULKHEAD_ISOLATION: _isolation, NODE_OPTIONS: _options, ...env } = process.env
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
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
if (!isBuilt()) build()

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
