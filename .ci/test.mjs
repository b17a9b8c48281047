// `npm test`: compiles, then runs tap on what came out. Arguments go to tap, `.ts` names of test files for `.js`.
// On a terminal tap reports as it does; elsewhere there is a line for each file. All that tap has to say goes to a file,
// from which a run that fails lists at its end what failed.
import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { build, compileTests } from './compile-tests.mjs'
import { countsIn, failuresIn, listOf } from './tap.mjs'

const args = process.argv.slice(2).map((arg) => arg.replace(/\.test\.ts$/, '.test.js'))
const { TAP_REPORTER, TAP_OUTPUT_FILE, ...env } = process.env
const output = resolve(build, option('output-file', 'o') || TAP_OUTPUT_FILE || 'results.tap')
const isForPeople = process.stdout.isTTY && env['CI'] === undefined
const reporter = option('reporter', 'R') || TAP_REPORTER || (isForPeople ? 'base' : 'files')

rmSync(output, { force: true })
await compileTests()
const { status, errors } = await run()
const tap = existsSync(output) ? readFileSync(output, 'utf8') : ''
if (status !== 0 && tap !== '') console.log(listed().join('\n'))
process.exitCode = status ?? 1

/**
 * @param {string} long
 * @param {string} short
 */
function option(long, short) {
  const form = new RegExp(`^(?:--${long}(?:=|$)|-${short}=?)(.*)$`)
  const index = args.findLastIndex((arg) => form.test(arg))
  return index === -1 ? undefined : form.exec(args[index])?.[1] || args[index + 1]
}

/** @returns {Promise<{ status: number | null, errors: string }>} */
async function run() {
  const file = fileURLToPath(new URL('../node_modules/tap/dist/esm/run.mjs', import.meta.url))
  // With these reporters tap would write to stdout what it writes to the file.
  const isPiped = ['files', 'silent', 'tap'].includes(reporter)
  const report = isPiped
    ? ['--reporter=tap', '--output-file=']
    : [`--reporter=${reporter}`, `--output-file=${output}`]
  const child = spawn(process.execPath, [file, 'run', ...args, ...report], {
    cwd: build,
    env,
    stdio: isPiped ? ['inherit', 'pipe', 'pipe'] : 'inherit',
  })
  // tap ends its tests and says how far they came. From the keyboard it has got the signal, too.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))

  let errors = ''
  const ends = [new Promise((end) => child.on('close', end))]
  if (child.stdout && child.stderr) {
    child.stderr.pipe(process.stderr)
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
    ends.push(finished(child.stdout.pipe(createWriteStream(output))))
    if (reporter === 'tap') child.stdout.pipe(process.stdout)
    if (reporter === 'files') {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (/^(?:not )?ok |^# \{|^Bail out!/.test(line)) console.log(line)
      })
    }
  }
  const [code] = await Promise.all(ends)
  return { status: code, errors }
}

function listed() {
  const files = args.length === 0 ? allFiles() : args.every((arg) => existsSync(build + arg)) ? args : []
  const failures = failuresIn(tap, files)
  const failedFiles = new Set(failures.map(({ path: [name] }) => name))
  const { isWhole, total, failed } = countsIn(tap)
  return [
    '\nWhat failed:',
    ...listOf(failures.map(withError)),
    ...(isWhole ? [] : ['\n✗ The run did not come to its end.']),
    `\n${failed} of ${total} assertions failed, in files: ${failedFiles.size}. All of the TAP: ${output}`,
  ]
}

function allFiles() {
  const names = readdirSync(`${build}test`, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.test.js')).map((name) => `test/${name.replaceAll(sep, '/')}`)
}

/** A file that could not be loaded has no test to tell of it: Node has, on stderr. */
function withError(failure) {
  const [file = ''] = failure.path
  if (failure.path.length > 1 || failure.details.length > 0) return failure
  const lines = errors.split('\n')
  const first = lines.findIndex((line) => line.includes(file))
  return first === -1
    ? failure
    : { ...failure, details: ['stderr:', ...lines.slice(first, first + 8).map((line) => `  ${line}`)] }
}
