// Packs the package as it would be published, installs it in a project of its own, with what it needs in the versions of
// the lock file, and uses it there.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { problemsOfContents, problemsOfDocuments, problemsOfUse, writeConsumer } from './consumer.mjs'
import { lockedProgram, problemsOfLock } from './lock.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const temporary = mkdtempSync(join(tmpdir(), 'bulkhead-package-'))

function npm(args, cwd) {
  const { status, stdout, error } = spawnSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
  })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed: ${error?.message ?? stdout}`)
  return stdout
}

const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`)

try {
  // The build is the step before this one.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', temporary]
  const [packed] = JSON.parse(npm(pack, root))
  const paths = packed.files.map(({ path }) => path)
  console.log(`${packed.filename}: ${paths.length} files, ${Math.round(packed.size / 1024)} kB`)

  const app = join(temporary, 'app')
  mkdirSync(app)
  writeConsumer(app)
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const tarball = { file: `../${packed.filename}`, integrity: packed.integrity }
  const program = lockedProgram(lock, tarball, ['@types/node'])
  writeJson(join(app, 'package.json'), { type: 'module', private: true, ...program.manifest })
  writeJson(join(app, 'package-lock.json'), program.lock)
  npm(['ci', '--no-audit', '--no-fund'], app)

  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const problems = [
    ...problemsOfLock(lock),
    ...problemsOfContents(paths),
    ...problemsOfDocuments(app, paths),
    ...problemsOfUse(app, tsc),
  ]
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
  else console.log('Installed, imported, run in a thread and from the command line.')
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
