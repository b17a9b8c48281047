// Runs the benches, each in a process of its own on compiled JavaScript, and prints a table. A run of all of them is
// written down, too.
//   npm run bench [-- name…]
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { buildBenches, cleanEnvironment, compiled } from './build.ts'
import { machine, NOTE_MARK, ROW_MARK, type Row } from './harness.ts'
import { arePeersInstalled, installPeers } from './install-peers.ts'
import { formatOutcome, type Outcome, withRun } from './results.ts'

const BENCHES = ['calls', 'start', 'restart', 'shutdown', 'inline', 'memory', 'loop-delay', 'logs']
/** Needs packages that only its name installs. */
const PEERS = 'peers'

const RESULTS = new URL('RESULTS.md', import.meta.url)

async function runBench(name: string): Promise<Outcome> {
  console.error(`Running ${name}…`)
  const child = spawn(process.execPath, [compiled(name)], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) {
    console.error(`The bench ${name} failed`)
    process.exitCode = 1
  }
  return read(output)
}

function read(output: string): Outcome {
  const rows: Row[] = []
  const notes: string[] = []
  for (const line of output.split('\n')) {
    if (line.startsWith(ROW_MARK)) rows.push(JSON.parse(line.slice(ROW_MARK.length)) as Row)
    else if (line.startsWith(NOTE_MARK)) notes.push(line.slice(NOTE_MARK.length))
    else if (line !== '') console.error(line)
  }
  return { rows, notes }
}

async function runBenches(names: readonly string[]): Promise<Outcome> {
  const outcomes: Outcome[] = []
  for (const name of names) outcomes.push(await runBench(name))
  return {
    rows: outcomes.flatMap(({ rows }) => rows),
    notes: outcomes.flatMap(({ notes }) => notes),
  }
}

const names = process.argv.slice(2)
const known = [...BENCHES, PEERS]
const unknown = names.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`No bench named ${unknown.join(', ')}: there are ${known.join(', ')}`)
  process.exit(2)
}
if (names.includes(PEERS)) installPeers()
buildBenches()

const outcome = await runBenches(names.length > 0 ? names : BENCHES)
console.log(`\n${formatOutcome(outcome)}`)
if (names.length === 0) {
  const peers = arePeersInstalled() ? await runBenches([PEERS]) : undefined
  console.log(
    peers
      ? `\n${formatOutcome(peers)}`
      : `\nOther libraries are not measured: "npm run bench -- ${PEERS}" installs them.`,
  )
  // One that failed leaves rows out, which the document would not tell.
  if (!process.exitCode) writeDown({ ...outcome, peers })
}
console.log(`\n${machine()}. Medians over interleaved rounds; quartiles in brackets.`)

function writeDown(measured: Outcome & { peers: Outcome | undefined }): void {
  const document = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : ''
  const major = Number(process.versions.node.split('.')[0])
  writeFileSync(RESULTS, withRun(document, major, { machine: machine(), ...measured }))
  console.log('\nWritten to bench/RESULTS.md.')
}
