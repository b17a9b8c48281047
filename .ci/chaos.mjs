// `npm run chaos`: compiles, then runs the chaos test for as long as asked, with its arguments.
import { spawnSync } from 'node:child_process'
import { build, compileTests } from './compile-tests.mjs'

await compileTests()
const args = ['test/chaos/run.js', ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, args, { cwd: build, stdio: 'inherit' })
process.exit(status ?? 1)
