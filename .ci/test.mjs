// `npm test`: compiles, then runs tap on what came out. Arguments go to tap, `.ts` names of test files for `.js`.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build, compileTests } from './compile-tests.mjs'

await compileTests()
const tap = fileURLToPath(new URL('../node_modules/tap/dist/esm/run.mjs', import.meta.url))
const args = process.argv.slice(2).map((arg) => arg.replace(/\.test\.ts$/, '.test.js'))
const { status } = spawnSync(process.execPath, [tap, 'run', ...args], { cwd: build, stdio: 'inherit' })
process.exit(status ?? 1)
