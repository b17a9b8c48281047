// Runs the tests on the other majors of Node, one after the other, and prints a line for each, after what failed on it:
//   npm run test:nodes [-- <major>…] [-- <test file>…]
// Each major is a package of the registry, installed into node_modules/.cache the first time it is asked for.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { totalsOf } from './tap.mjs'

const MAJORS = ['22', '24', '26']

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, 'node_modules', '.cache', 'nodes')
const given = process.argv.slice(2)
const isMajor = (/** @type {string} */ text) => /^\d+$/.test(text)
const majors = given.some(isMajor) ? given.filter(isMajor) : MAJORS
const files = given.filter((text) => !isMajor(text))

/** What the package `node` installs by a script, which npm may refuse to run: the package that holds the binary. */
function binaryPackage() {
  const { platform, arch } = process
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
  return `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}`
}

/** @param {string} major */
function install(major) {
  const folder = join(cache, major)
  const bin = join(folder, 'node_modules', binaryPackage(), 'bin')
  const node = join(bin, process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(node)) {
    process.stderr.write(`Installing Node ${major}…\n`)
    mkdirSync(folder, { recursive: true })
    const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder]
    const wanted = `${binaryPackage()}@${major}`
    const { status } = spawnSync('npm', ['install', ...options, wanted], {
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    })
    if (status !== 0 || !existsSync(node)) throw new Error(`npm could not install ${wanted}`)
  }
  return { node, bin }
}

/** @param {string} major */
function testOn(major) {
  const { node, bin } = install(major)
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  const output = join(cache, `${major}.tap`)
  rmSync(output, { force: true })
  const from = performance.now()
  const { status } = spawnSync(node, [join(root, '.ci/test.mjs'), ...files], {
    cwd: root,
    env: {
      ...process.env,
      // For what the tests start by name, npm included.
      PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
      NODE: node,
      npm_node_execpath: node,
      TAP_REPORTER: process.env['TAP_REPORTER'] ?? 'silent',
      TAP_OUTPUT_FILE: output,
    },
    stdio: ['ignore', 2, 2],
  })
  const seconds = Math.round((performance.now() - from) / 1000)
  const totals = totalsOf(existsSync(output) ? readFileSync(output, 'utf8') : '')
  const ok = status === 0 && totals.ok
  return { ok, line: `Node ${version}: ${totals.line}${ok ? '' : `, exit code ${status}`}, ${seconds} s` }
}

for (const major of majors) {
  const { ok, line } = testOn(major)
  console.log(line)
  if (!ok) process.exitCode = 1
}
