import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FOREVER_MS } from '../support/patience.ts'
import type { IndexStats, SearchAnswer } from '../../examples/code-search/indexer.ts'

class App {
  readonly process: ChildProcess
  output = ''

  constructor(t: Test, args: string[], port = 0) {
    const program = ['test/fixtures/patient.ts', 'src/cli/main.ts']
    const command = ['--import', 'tsx', ...program, 'run', 'examples/code-search/main.ts', ...args]
    this.process = spawn(process.execPath, command, { env: { ...process.env, PORT: String(port) } })
    this.process.stdout?.on('data', (chunk) => (this.output += chunk))
    this.process.stderr?.on('data', (chunk) => (this.output += chunk))
    t.teardown(() => this.process.kill('SIGKILL'))
  }

  /** The answer to `path`, asked for until it is as wanted. */
  async get<T>(path: string, isWanted: (answer: T) => boolean): Promise<T> {
    for (const end = Date.now() + FOREVER_MS; Date.now() < end; await sleep(50)) {
      const base = /http:\/\/127\.0\.0\.1:\d+/.exec(this.output)?.[0]
      const response = base && (await fetch(base + path).catch(() => undefined))
      // A thread that is busy with other things than this may keep it waiting too long.
      if (!response || response.status === 503) continue
      const answer = (await response.json()) as T
      if (isWanted(answer)) return answer
    }
    throw new Error(`no answer as wanted to ${path}; the output was:\n${this.output}`)
  }

  async exit(): Promise<number | null> {
    if (this.process.exitCode === null)
      await once(this.process, 'close', { signal: AbortSignal.timeout(FOREVER_MS) })
    return this.process.exitCode
  }
}

const paths = ({ hits }: SearchAnswer): string[] => hits.map(({ path }) => path).sort()

void t.test('it indexes a folder, follows its changes, and stops cleanly', async (t) => {
  const folder = t.testdir({
    'a.ts': '\n  export function readSource() {}\n',
    'b.py': 'def read_source(): pass\n',
    bin: '\0\0',
    deep: { 'c.md': 'nothing' },
  })
  const app = new App(t, [folder])
  const stats = await app.get<IndexStats>('/stats', ({ done }) => done)
  t.match(stats, {
    folder,
    files: 4,
    indexed: 3,
    skipped: { binary: 1, unreadable: 0, tooLarge: 0 },
    progress: 1,
  })
  const answer = await app.get<SearchAnswer>('/search?q=readSource', () => true)
  t.same(paths(answer), ['a.ts', 'b.py'])
  t.match(answer.hits[0], {
    path: 'a.ts',
    line: 2,
    text: 'export function readSource() {}',
    marks: [[16, 26]],
  })

  writeFileSync(join(folder, 'deep', 'c.md'), 'how to readSource')
  writeFileSync(join(folder, 'new.ts'), 'readSource()')
  rmSync(join(folder, 'b.py'))
  await app.get<SearchAnswer>(
    '/search?q=readSource',
    (answer) => paths(answer).join() === 'a.ts,deep/c.md,new.ts',
  )

  app.process.kill('SIGTERM')
  t.equal(await app.exit(), 0, 'exit code', { output: app.output })
  for (const name of ['Indexer', 'HttpApi', 'Progress']) t.match(app.output, name)
})

void t.test('it answers while it indexes, and a stop then ends it at once', async (t) => {
  const app = new App(t, [])
  const answer = await app.get<SearchAnswer>('/search?q=function&limit=3', ({ hits }) => hits.length === 3)
  t.ok(answer.progress < 1, `${answer.progress}`)
  app.process.kill('SIGINT')
  t.equal(await app.exit(), 0, 'exit code', { output: app.output })
  t.match(app.output, 'within the budget')
  t.notMatch(app.output, /indexed \d+ files/, 'it did not come to its end first')
})

void t.test('a folder or a port that is no good is told in one line, with exit code 1', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const file = t.testdir({ file: '' }) + '/file'
  const cases: [App, string][] = [
    [new App(t, ['no-such-folder']), 'no-such-folder: there is no such folder'],
    [new App(t, [file]), 'it is not a folder'],
    [new App(t, [t.testdirName], port), `port ${port} is in use: set PORT to a free one`],
  ]
  for (const [app, message] of cases) {
    t.equal(await app.exit(), 1)
    t.match(app.output, message)
  }
})
