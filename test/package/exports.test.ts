import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runClean } from '../support/clean-process.ts'
import { unexportedTypes } from './declarations.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

void t.test('every type that a public signature names can be imported', async (t) => {
  const folder = t.testdir({})
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder]
  runClean(process.execPath, args, { cwd: root })
  t.strictSame(unexportedTypes(join(folder, 'src/index.d.ts')), [])
})
