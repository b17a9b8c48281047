// What a program that has installed the package does with it. Used by `.ci/package.mjs`, with a real install, and by
// test/package, with a quick one.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { problemsOfLinks } from './links.mjs'

/** Plain JavaScript, except for `types.ts`, which is only type-checked. */
export const FILES = {
  'package.json': '{ "type": "module", "private": true }\n',
  'squares.js': `
import { Service } from 'bulkhead'
import { isMainThread } from 'node:worker_threads'

export class Squares extends Service {
  static module = import.meta.url
  square(n) {
    return { n: n * n, isMainThread, upgraded: globalThis.upgraded }
  }
}
`,
  'main.js': `
import { isolate } from 'bulkhead'
import { readFileSync, writeFileSync } from 'node:fs'
import { Squares } from './squares.js'

const handle = isolate(Squares)
await handle.start()
const { threadId } = handle
console.error(JSON.stringify({ answer: await handle.square(12), inThread: threadId > 0 }))
await handle.stop()

// As if another version came over it while the process runs: a thread that loads that must not get this one's code.
const library = new URL('./node_modules/bulkhead/dist/src/library/', import.meta.url)
const files = ['bulkhead.js', 'script.cjs'].map((name) => new URL(name, library))
const texts = files.map((file) => readFileSync(file, 'utf8'))
const [version] = /[0-9a-f]{64}/.exec(texts[0])
writeFileSync(files[0], texts[0].replace(version, 'another'))
writeFileSync(files[1], texts[1].replace('{', '{globalThis.upgraded=true;'))
try {
  await handle.restart()
  console.error(JSON.stringify({ again: await handle.square(2) }))
  await handle.stop()
} finally {
  files.forEach((file, index) => writeFileSync(file, texts[index]))
}
`,
  'app.js': `
import { isolate } from 'bulkhead'
import { Squares } from './squares.js'

export default isolate(Squares)
`,
  'types.ts': `
import { Host, Service, isolate, type Isolated } from 'bulkhead'

class Squares extends Service {
  static readonly module = import.meta.url
  @Service.timer('1s')
  protected async tick(): Promise<void> {
    await this.sleep(1)
  }
  square(n: number): number {
    return n * n
  }
}

const handle: Isolated<Squares> = isolate(Squares, { concurrency: 2 })
export const answer: Promise<number> = handle.square(12)
export const host: Host = new Host([handle], { stopTimeout: '5s' })
// @ts-expect-error -- a helper of the author's side is no remote method
handle.sleep(1)
`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'NodeNext',
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable', 'ESNext.Decorators'],
      types: ['node'],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    },
    files: ['types.ts'],
  }),
}

/** @param {string} folder */
export function writeConsumer(folder) {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
}

/**
 * What is wrong with the paths of a tarball, as `npm pack --json` lists them.
 * @param {readonly string[]} paths
 * @returns {string[]}
 */
export function problemsOfContents(paths) {
  const wanted = [
    'package.json',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'docs/errors.md',
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/src/cli/main.js',
    'dist/src/library/script.cjs',
    'dist/workers/thread.js',
  ]
  const missing = wanted.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`)
  const known = (/** @type {string} */ path) =>
    /^dist\/(?:src|workers)\/.+\.(?:js|d\.ts)$/.test(path) ||
    /^docs\/[\w-]+\.(?:md|svg|png)$/.test(path) ||
    wanted.includes(path)
  return [...missing, ...paths.filter((path) => !known(path)).map((path) => `${path} does not belong there`)]
}

/**
 * The links of its documents, pictures included, that lead to nothing in the package that is installed in `folder`.
 * Examples and figures are in the repository alone.
 * @param {string} folder
 * @param {readonly string[]} paths of the package's files
 * @returns {string[]}
 */
export function problemsOfDocuments(folder, paths) {
  const documents = paths.filter((path) => path.endsWith('.md'))
  return problemsOfLinks(join(folder, 'node_modules', 'bulkhead'), documents)
}

/**
 * Uses the package that is installed in `folder`, and says what went wrong.
 * @param {string} folder where `writeConsumer` has written
 * @param {string} tsc the file of a TypeScript compiler
 * @returns {string[]}
 */
export function problemsOfUse(folder, tsc) {
  const manifest = join(folder, 'node_modules', 'bulkhead', 'package.json')
  const { version, bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  const cli = join(folder, 'node_modules', 'bulkhead', bin.bulkhead)
  /** @type {string[]} */
  const problems = []
  /** @type {(what: string, args: string[], isRight: (stdout: string, stderr: string) => boolean) => void} */
  const check = (what, args, isRight) => {
    // A test runner may have put something into NODE_OPTIONS.
    const command = ['-u', 'NODE_OPTIONS', process.execPath, ...args]
    const { status, signal, stdout, stderr } = spawnSync('env', command, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
    })
    if (status === 0 && isRight(stdout, stderr)) return
    problems.push(`${what} (status ${status}, signal ${signal}):\n${stdout}${stderr}`)
  }

  const answers = [
    '{"answer":{"n":144,"isMainThread":false},"inThread":true}',
    '{"again":{"n":4,"isMainThread":false,"upgraded":true}}',
  ]
  check('an isolated service of plain JavaScript', ['main.js'], (_out, err) =>
    answers.every((answer) => err.includes(answer)),
  )
  check('bulkhead --version', [cli, '--version'], (out) => out === `${version}\n`)
  check('bulkhead graph', [cli, 'graph', 'app.js'], (out) => /Squares \(running, thread \d+\)/.test(out))
  check('the types', [tsc, '-p', 'tsconfig.json'], () => true)
  return problems
}
