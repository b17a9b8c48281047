import t from 'tap'
import { inheritedExecArgv } from '../../src/worker/exec-argv.ts'

t.test('flags are inherited as they are where a thread can bear them', async (t) => {
  t.equal(inheritedExecArgv([]), undefined)
  t.equal(inheritedExecArgv(['--expose-gc', '--max-old-space-size=100', '--import', './otel.mjs']), undefined)
})

t.test('tsx and code from the command line are left out', async (t) => {
  t.same(inheritedExecArgv(['--import', 'tsx']), [])
  t.same(
    inheritedExecArgv(['--import=file:///app/node_modules/tsx/dist/loader.mjs', '--import', './otel.mjs']),
    ['--import', './otel.mjs'],
  )
  t.same(inheritedExecArgv(['--input-type=module', '-e', 'code', '-r', './hook.cjs']), ['-r', './hook.cjs'])
  t.same(inheritedExecArgv(['--input-type', 'module', '--enable-source-maps']), ['--enable-source-maps'])
})

t.test('with them go the flags of the whole process, which no list for a thread may name', async (t) => {
  t.same(inheritedExecArgv(['--expose-gc', '--import=tsx', '--max-old-space-size=100', '-C', 'dev']), [
    '-C',
    'dev',
  ])
})
