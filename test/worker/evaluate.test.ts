import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runClean } from '../support/clean-process.ts'

void t.test('in a context of its own, what the library makes is of that context', (t) => {
  const args = ['--no-warnings', '--experimental-vm-modules', 'realm.js']
  const cwd = fileURLToPath(new URL('../fixtures', import.meta.url))
  t.same(JSON.parse(runClean(process.execPath, args, { cwd })), {
    promise: true,
    error: true,
    state: 'stopped',
  })
  t.end()
})
