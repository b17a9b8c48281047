// How many log lines a second come from a thread into a file, beside pino on the main thread?
// oxlint-disable unicorn/require-post-message-target-origin -- a thread's port has no origin
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Host, isolate } from '../src/index.ts'
import { Talker } from './fixtures/talker.ts'
import { bareWorker, closed, compare, interleave } from './harness.ts'

const LINES = 20_000

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'))
// Synchronous, as pino's own default is: a line that has been handed over is written.
const file = pino.destination({ dest: join(folder, 'lines.log'), sync: true })
let missing = 0
let lastLine = ''
let allWritten = (): void => {}
const logger = pino(
  {},
  {
    write(line: string): void {
      file.write(line)
      lastLine = line
      if (--missing === 0) allWritten()
    },
  },
)

/** Lines a second, until the last of them is in the file. */
async function rate(lines: number, talk: () => unknown): Promise<number> {
  const written = new Promise<void>((resolve) => {
    missing = lines
    allWritten = resolve
  })
  const from = performance.now()
  const talked = talk()
  await written
  const took = performance.now() - from
  await talked
  const { request, msg } = JSON.parse(lastLine) as Record<string, unknown>
  if (request !== lines - 1 || !String(msg).endsWith('answered')) throw new Error(`The last is ${lastLine}`)
  return lines / (took / 1000)
}

const talker = isolate(Talker)
const host = new Host([talker], { logger })
host.lifecycleLevel = 'silent'
await host.start()
const bare = await bareWorker('bare-talker.js')

// The floors write the same fields: what differs is how the line comes there.
await rate(1, () => talker.talk(1))
const { name, service, threadId, msg } = JSON.parse(lastLine) as Record<string, string>
const direct = logger.child({ name, service, threadId })
bare.on('message', ({ request }: { request: number }) => direct.info({ request }, msg))

const samples = await interleave(
  {
    direct: () =>
      rate(LINES, () => {
        for (let request = 0; request < LINES; request++) direct.info({ request }, msg)
      }),
    isolated: () => rate(LINES, () => talker.talk(LINES)),
    posted: () => rate(LINES, () => bare.postMessage(LINES)),
  },
  { rounds: 21, warmups: 4 },
)

const floors = [
  { floorWhat: 'pino on the main thread', floor: samples.direct, target: { atLeast: 0.5 } },
  { floorWhat: 'fields posted by a bare worker', floor: samples.posted },
]
for (const floor of floors) {
  compare({ what: 'log lines from a thread', unit: 'lines/s', samples: samples.isolated, ...floor })
}

await host.stop()
await closed(bare)
file.end()
rmSync(folder, { recursive: true })
