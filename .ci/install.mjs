// Makes `npm start`, `npm test` and `npm run bench` work as the first command after a clone: installs what the
// lock file names, and costs one comparison of two files when it is already there.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const mark = `${root}node_modules/.bulkhead-installed`
const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .update(process.version)
  .digest('hex')

function run(command, args) {
  // On Windows npm is a script, which takes a shell to start.
  const shell = command === 'npm' && process.platform === 'win32'
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell })
  if (status !== 0) {
    process.stderr.write(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}\n`)
    process.exit(status ?? 1)
  }
}

if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
  process.stderr.write('Installing what package-lock.json names…\n')
  // It removes node_modules first, with the mark: an install that is cut short is made again.
  run('npm', ['ci', '--no-audit', '--no-fund'])
  // The test runner generates itself from its plugin list, which .taprc changes (no TypeScript plugin).
  run(process.execPath, [`${root}node_modules/tap/dist/esm/run.mjs`, 'build'])
  writeFileSync(mark, wanted)
}
