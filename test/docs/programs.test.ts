import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { runClean, spawnClean } from '../support/clean-process.ts'
import { FOREVER_MS } from '../support/patience.ts'
import { type Program, blocksOf, programsOf } from './blocks.ts'
import { documents, root } from './documents.ts'

const programs = documents.map(({ path, name, text }) => ({
  path,
  name,
  programs: programsOf(blocksOf(text)),
}))

/**
 * A folder for each document with one for each program, and a package `bulkhead` that all find: compiled, as users have
 * it, so that a loader for TypeScript has no more to do than theirs.
 */
const library = pathToFileURL(join(root, 'src/index.js')).href
const folder = t.testdir({
  'package.json': '{ "type": "module", "private": true }',
  node_modules: {
    bulkhead: {
      'package.json': '{ "name": "bulkhead", "type": "module", "exports": "./index.js" }',
      'index.js': `export * from '${library}'\n`,
    },
  },
  // For tsx, which would take another that lies above, and read TypeScript in place of what was compiled of it.
  'run.json': '{}',
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
    include: ['*/line-*/*.ts'],
    exclude: [],
  }),
  ...Object.fromEntries(
    programs.map(({ name, programs }) => [name, Object.fromEntries(programs.map(folderOf))]),
  ),
})

function folderOf({ line, file, text, command, others }: Program): [string, Record<string, string>] {
  return [`line-${line}`, { ...Object.fromEntries(others), ...(command ? {} : { [file]: text }) }]
}

const PATIENT = join(root, 'test/fixtures/patient.js')

/** For all of them, on a machine that has other things to do. */
const PATIENCE_WITH_ALL_MS = 6 * FOREVER_MS
t.setTimeout(PATIENCE_WITH_ALL_MS)

interface Outcome {
  readonly status: number | NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

async function run(document: string, { line, file, command, until }: Program): Promise<Outcome> {
  // The command line finds tsx by itself.
  const args = command
    ? [PATIENT, join(root, 'src/cli/main.js'), ...command]
    : ['--import', import.meta.resolve('tsx'), PATIENT, file]
  const child = spawnClean(process.execPath, args, {
    cwd: join(folder, document, `line-${line}`),
    env: { ...process.env, PORT: '0', TSX_TSCONFIG_PATH: join(folder, 'run.json') },
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
  const giveUp = setTimeout(() => child.kill('SIGKILL'), FOREVER_MS)
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

t.test('the programs fit the types', async (t) => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  t.equal(runClean(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: folder, mayFail: true }), '')
})

t.test('the programs run', { timeout: PATIENCE_WITH_ALL_MS }, async (t) => {
  t.jobs = 2
  for (const { path, name, programs: itsPrograms } of programs) {
    for (const program of itsPrograms) {
      const { line, file, command, output } = program
      const what = command ? `bulkhead ${command.join(' ')}` : file
      void t.test(`${path}, line ${line}: ${what}`, { buffered: true }, async (t) => {
        const { status, stdout, stderr } = await run(name, program)
        t.equal(status, 0, 'exit code', { stdout, stderr })
        if (output !== undefined) t.match(ownLines(stdout), pattern(output), 'output', { stderr })
      })
    }
  }
})
