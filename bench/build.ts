// What the benches run on: the library as it ships, in one file, with them beside it and no loader before Node's own.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const sources = ['src/', 'workers/', 'bench/', '.ci/'].map((name) => fileURLToPath(new URL(name, root)))
const peers = fileURLToPath(new URL('bench/peers/', root))
/** Comes last, and `npm run build`, which makes it too, leaves no benches. */
const library = new URL('dist/src/library/bulkhead.js', root)

/** The compiled bench of that name. */
export function compiled(name: string): string {
  return fileURLToPath(new URL(`dist/bench/${name}.js`, root))
}

export function buildBenches(): void {
  if (isBuilt()) return
  console.error('Building…')
  const build = fileURLToPath(new URL('.ci/build.mjs', root))
  const { status } = spawnSync(process.execPath, [build, 'dist', 'bench/tsconfig.json'], {
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) process.exit(status ?? 1)
}

function isBuilt(): boolean {
  if (!existsSync(library) || !existsSync(compiled('run'))) return false
  return statSync(library).mtimeMs > Math.max(...sources.map(newest))
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath ?? entry.path}${sep}${entry.name}`)
    // What is written by a run, and what is run where it is.
    .filter((file) => !file.endsWith('.md') && !file.startsWith(peers))
  return Math.max(...files.map((file) => statSync(file).mtimeMs))
}

/** The environment of a bench: tsx in the floors' threads would make them look slow. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const { BULKHEAD_ISOLATION: _isolation, NODE_OPTIONS: _options, ...env } = process.env
  return env
}
