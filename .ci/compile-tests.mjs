// Makes .build: a copy of this tree with compiled JavaScript beside the TypeScript. The tests run there, on the code as
// it ships, in one file: a thread of theirs starts in a tenth of the time that it takes where tsx has to transform what
// it loads.
// Tests that are about TypeScript find it there as well.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, rmSync, symlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
export const build = `${root}.build/`

const PARTS = [
  '.ci',
  'oxlint.config.mjs',
  '.taprc',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'README.md',
  'bench',
  'docs',
  'examples',
  'package.json',
  'package-lock.json',
  'src',
  'test',
  'tsconfig.build.json',
  'tsconfig.json',
  'tsconfig.test.json',
  'workers',
]

export async function compileTests() {
  rmSync(build, { recursive: true, force: true })
  for (const part of PARTS)
    if (existsSync(root + part)) cpSync(root + part, build + part, { recursive: true, filter: isOurs })
  symlinkSync(`${root}node_modules`, `${build}node_modules`)
  const tsc = `${root}node_modules/typescript/bin/tsc`
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.test.json'], {
    cwd: build,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
  await bundle(build, { forTests: true })
}

// The peers of the benches are installed in a folder of theirs.
const isOurs = (path) => basename(path) !== 'node_modules'
