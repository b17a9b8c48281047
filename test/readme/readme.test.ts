import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { MESSAGES } from '../../src/errors/codes.ts'
import { runClean, spawnClean } from '../support/clean-process.ts'
import { type Program, blocksOf, programsOf } from './blocks.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const programs = programsOf(blocksOf(readme))

/** A folder for each program, and a package `bulkhead` that all find, which is the sources. */
const source = pathToFileURL(join(root, 'src/index.ts')).href
const folder = t.testdir({
  'package.json': '{ "type": "module", "private": true }',
  node_modules: {
    bulkhead: {
      'package.json': '{ "name": "bulkhead", "type": "module", "exports": "./index.ts" }',
      'index.ts': `export * from '${source}'\n`,
    },
  },
  'tsconfig.json': JSON.stringify({
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      rootDir: '/',
      paths: { bulkhead: [join(root, 'src/index.ts')] },
      typeRoots: [join(root, 'node_modules/@types')],
      // Not every user has these on, and for the reader they would only be noise.
      noImplicitOverride: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    include: ['line-*/*.ts'],
    exclude: [],
  }),
  ...Object.fromEntries(
    programs.map(({ line, file, text, command, others }) => [
      `line-${line}`,
      { ...Object.fromEntries(others), ...(command ? {} : { [file]: text }) },
    ]),
  ),
})

const PATIENCE_MS = 30_000

interface Outcome {
  readonly status: number | NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

async function run({ line, file, command, until }: Program): Promise<Outcome> {
  const args = command ? [join(root, 'src/cli/main.ts'), ...command] : [file]
  const child = spawnClean(process.execPath, ['--import', import.meta.resolve('tsx'), ...args], {
    cwd: join(folder, `line-${line}`),
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  let told = false
  const tell = (): void => {
    if (told || until === undefined || !(stdout + stderr).includes(until)) return
    told = true
    child.kill('SIGTERM')
  }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => ((stdout += text), tell()))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => ((stderr += text), tell()))
  const giveUp = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  await once(child, 'close')
  clearTimeout(giveUp)
  return { status: child.exitCode ?? child.signalCode, stdout, stderr }
}

/** The lines that the program prints itself: those of the log are JSON. */
function ownLines(stdout: string): string {
  return stdout
    .split('\n')
    .filter((line) => !line.startsWith('{"level":'))
    .join('\n')
}

function pattern(output: string): RegExp {
  const parts = output.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`)
}

t.test('README: the programs fit the types', async (t) => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  t.equal(runClean(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: folder, mayFail: true }), '')
})

t.test('README: the programs run', async (t) => {
  t.jobs = 2
  for (const program of programs) {
    const { line, file, command, output } = program
    const name = command ? `bulkhead ${command.join(' ')}` : file
    void t.test(`line ${line}: ${name}`, { buffered: true }, async (t) => {
      const { status, stdout, stderr } = await run(program)
      t.equal(status, 0, 'exit code', { stdout, stderr })
      if (output !== undefined) t.match(ownLines(stdout), pattern(output), 'output', { stderr })
    })
  }
})

t.test('README: every error code has its line, and no other is named', async (t) => {
  const rows = [...readme.matchAll(/^\| `(ERR_[A-Z_]+)` \|/gm)].map(([, code = '']) => code)
  t.strictSame(new Set(rows), new Set(Object.keys(MESSAGES)))
  t.equal(rows.length, new Set(rows).size, 'none twice')
})

t.test('README: links within it have their headings', async (t) => {
  const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
  for (const [, anchor = ''] of readme.matchAll(/\]\(#([^)]+)\)/g)) t.ok(headings.includes(anchor), anchor)
})
