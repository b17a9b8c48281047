// `totals.mjs <TAP file> <n>`: prints the totals of a run of the tests, where n other checks failed.
import { readFileSync } from 'node:fs'
import { totalsOf } from './tap.mjs'

const [file = '', failedChecks = '0'] = process.argv.slice(2)
let tap = ''
try {
  tap = readFileSync(file, 'utf8')
} catch {
  // Then the run did not come to its end, which the totals say.
}
for (const [mark, place] of [
  ['inline', 'inline'],
  ['thread', 'in a thread'],
]) {
  const ran = tap.match(new RegExp(`^ *(?:not )?ok \\d+ - .* \\[${mark}\\]`, 'gm')) ?? []
  console.log(`Conformance tests run ${place}: ${ran.length}`)
}
const { ok, line } = totalsOf(tap, Number(failedChecks))
console.log(line)
if (!ok) process.exitCode = 1
