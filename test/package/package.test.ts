import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
// The same checks as `.ci/package.mjs`, with links in place of an install.
import { problemsOfContents, problemsOfDocuments, problemsOfUse, writeConsumer } from '../../.ci/consumer.mjs'
import { runClean } from '../support/clean-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>
}

// Outside the repository: what the package imports without depending on it must not be found.
const temporary = mkdtempSync(join(tmpdir(), 'bulkhead-package-'))
t.teardown(() => rmSync(temporary, { recursive: true, force: true }))

function link(name: string): void {
  const path = join(temporary, 'app/node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), path, 'junction')
}

t.test('the package can be installed and used', async (t) => {
  const source = join(temporary, 'source')
  const app = join(temporary, 'app')
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'docs']) {
    cpSync(join(root, name), join(source, name), { recursive: true })
  }
  runClean(process.execPath, ['.ci/build.mjs', join(source, 'dist')], { cwd: root })

  const packed = JSON.parse(runClean('npm', ['pack', '--ignore-scripts', '--json'], { cwd: source })) as [
    { filename: string; files: { path: string }[] },
  ]
  const [{ filename, files }] = packed
  const paths = files.map(({ path }) => path)
  t.strictSame(problemsOfContents(paths), [], 'it contains what it should')

  writeConsumer(app)
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) link(name)
  const installed = join(app, 'node_modules/bulkhead')
  mkdirSync(installed)
  const extract = ['-xzf', join(source, filename), '-C', installed, '--strip-components=1']
  runClean('tar', extract, { cwd: temporary })
  t.strictSame(problemsOfDocuments(app, paths), [], 'its documents lead to one another')
  t.strictSame(problemsOfUse(app, tsc), [], 'it works')
})
