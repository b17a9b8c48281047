// Puts the compiled library, all of `src` but the command line, into one file: a thread that loads 100 files takes twice
// as long to start as one that loads 1. Each file that went into it stays as a door that only names what it exported,
// so the library, its workers, the command line and the tests all reach the same one copy of everything.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

// What every thread would have to load besides: to look up a package and to load CommonJS costs as much as the rest.
// They stay dependencies, with which their licences come.
const INLINED = ['comlink', 'ms']

// As deep as each file that it is made of: what they look up beside themselves is found from here, too.
const LIBRARY = 'src/library/bulkhead.js'
/** See src/worker/evaluate.ts. */
const SCRIPT = 'src/library/script.cjs'
/** What the script names by URL. */
const ASSETS = ['thread', 'task', 'watchdog'].map((name) => `../../workers/${name}.js`)
const SERVE = 'src/serve/thread.js'
const EVALUATE = 'src/worker/evaluate.js'

/**
 * @param {string} root a folder ending in a slash, with the compiled `src`
 * @param {{ forTests?: boolean }} [options] for tests: lines as they are, and doors also to what only tests reach
 */
export async function bundle(root, { forTests = false } = {}) {
  const modules = modulesIn(root).filter((module) => module !== EVALUATE)
  const exportsOf = await exportsOfEach(root, modules)
  const wanted = forTests ? new Set(modules) : doors(root, modules)
  const entry = entryOf(modules, exportsOf, wanted)
  const size = forTests ? {} : small
  const { metafile } = await build({
    ...bundled(root, entry),
    ...size,
    outfile: root + SCRIPT,
    format: 'cjs',
    define: { 'import.meta.url': 'scriptUrl' },
    banner: { js: '(function (module, require, scriptUrl, hostImport, compiling) {' },
    footer: { js: '})' },
    metafile: true,
  })
  const [script] = Object.values(metafile.outputs)
  const version = createHash('sha256')
    .update(readFileSync(root + SCRIPT))
    .digest('hex')
  await build({
    ...bundled(root, evaluator(script.imports, entry, version)),
    ...size,
    outfile: root + LIBRARY,
  })
  openDoors(root, modules, exportsOf, wanted)
  // Among the tests it is a source: they build the package, too.
  if (forTests) return
  rmSync(root + EVALUATE)
  writeFileSync(`${root}workers/thread.js`, threadEntry(inside(modules.indexOf(SERVE), 'serve')))
}

function entryOf(modules, exportsOf, wanted) {
  return modules.map((module, index) => {
    const names = wanted.has(module) ? exportsOf.get(module) : []
    return names.length === 0
      ? `import './${module}'`
      : `export { ${names.map((name) => `${name} as ${inside(index, name)}`).join(', ')} } from './${module}'`
  })
}

const bundled = (root, lines) => ({
  stdin: { contents: lines.join('\n'), resolveDir: root, sourcefile: 'library.js' },
  ...common,
  bundle: true,
  external,
  // comlink's main file is CommonJS, its module is not.
  mainFields: ['module', 'main'],
  // Wherever the output is, it is made with what is installed here.
  nodePaths: [fileURLToPath(new URL('../node_modules', import.meta.url))],
})

function evaluator(imports, entry, version) {
  const loaded = imports.filter(({ kind }) => kind === 'require-call')
  const builtins = [...new Set(loaded.map(({ path }) => path))]
  const other = builtins.filter((path) => !path.startsWith('node:'))
  if (other.length > 0) throw new Error(`The library loads ${other.join(', ')} at once.`)
  const names = entry.flatMap((line) => [...line.matchAll(/ as ([^ ,]+)/g)].map(([, name]) => name))
  return [
    ...builtins.map((path, index) => `import * as builtin${index} from '${path}'`),
    `import { evaluate } from './${EVALUATE}'`,
    `const builtins = { ${builtins.map((path, index) => `'${path}': builtin${index}`).join(', ')} }`,
    `const script = new URL('./${basename(SCRIPT)}', import.meta.url)`,
    // Called by nobody: tools that trace the files a program needs look for these forms, and not into the script.
    `export const traced = () => [${ASSETS.map((path) => `new URL('${path}', import.meta.url)`).join(', ')}, ${external.map((name) => `import('${name}')`).join(', ')}]`,
    `const library = evaluate(script, '${version}', builtins, (specifier) => import(specifier))`,
    `export const { ${names.join(', ')} } = library`,
  ]
}

function openDoors(root, modules, exportsOf, wanted) {
  modules.forEach((module, index) => {
    if (!wanted.has(module)) {
      rmSync(root + module)
      return
    }
    const up = '../'.repeat(module.split('/').length - 1)
    const names = exportsOf.get(module).map((name) => `${inside(index, name)} as ${name}`)
    writeFileSync(root + module, `export { ${names.join(', ')} } from '${up}${LIBRARY}'\n`)
  })
}

/** As `workers/thread.js`, but for what it loads: that is known here, and no TypeScript. */
function threadEntry(serve) {
  return `import { workerData } from 'node:worker_threads'
import { ${serve} as serve } from '../${LIBRARY}'

const { tsx } = workerData.bulkhead
if (tsx) (await import(tsx)).register()
await serve()
`
}

// Everything is kept: what is imported for what it does, too.
const common = {
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  // evaluate.ts reads Latin-1, and one character beyond that would double what each thread takes in memory.
  charset: 'ascii',
  ignoreAnnotations: true,
}

const packageJson = new URL('../package.json', import.meta.url)
const { dependencies } = JSON.parse(readFileSync(packageJson, 'utf8'))
const external = Object.keys(dependencies).filter((name) => !INLINED.includes(name))

// Each thread has all of it. Names and lines stay, so that a stack can be read.
const small = { minifyWhitespace: true, lineLimit: 120 }

const inside = (index, name) => `${name}$${index}`

function modulesIn(root) {
  return readdirSync(`${root}src`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => relative(root, `${entry.parentPath ?? entry.path}/${entry.name}`).replaceAll(sep, '/'))
    .filter((module) => !module.startsWith('src/cli/') && module !== LIBRARY)
    .toSorted()
}

async function exportsOfEach(root, modules) {
  const { metafile } = await build({
    entryPoints: modules.map((module) => root + module),
    outdir: root,
    absWorkingDir: root,
    ...common,
    write: false,
    metafile: true,
  })
  return new Map(
    Object.values(metafile.outputs).map(({ entryPoint, exports }) => [entryPoint, exports.toSorted()]),
  )
}

/** What the package's users, its workers and its command line load by name. */
function doors(root, modules) {
  const found = new Set(['src/index.js', SERVE, 'src/pool/run-task.js'])
  for (const file of readdirSync(`${root}src/cli`)) {
    if (!file.endsWith('.js')) continue
    for (const [, module] of readFileSync(`${root}src/cli/${file}`, 'utf8').matchAll(
      /'\.\.\/([\w./-]+\.js)'/g,
    )) {
      found.add(`src/${module}`)
    }
  }
  const missing = [...found].filter((module) => !modules.includes(module))
  if (missing.length > 0) throw new Error(`There is no ${missing.join(', ')} to make a door of.`)
  return found
}
