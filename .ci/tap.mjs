// Reads a TAP file: `failures <file>` prints the tests that failed, with what tap says of each; `counts <file> <n>` the
// totals, where n other checks failed.
import { readFileSync } from 'node:fs'

const [what, file = '', failedChecks = '0'] = process.argv.slice(2)

function read() {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const lines = read().split('\n')

function printFailures() {
  const above = []
  let last = ''
  lines.forEach((line, index) => {
    const [, indent = '', result, title = ''] = /^( *)((?:not )?ok) \d+ - (.*)$/.exec(line) ?? []
    const subtest = /^( *)# Subtest: (.*)$/.exec(line)
    if (subtest) above[subtest[1].length / 4] = subtest[2]
    if (result !== 'not ok' || /# (?:TODO|SKIP)\b/.test(title)) return
    const path = [...above.slice(0, indent.length / 4), title.replace(/ # time=.*$/, '')].join(' > ')
    // A test that failed because of a test in it.
    if (last.startsWith(`${path} > `)) return
    last = path
    const details = []
    for (let next = index + 1; next < lines.length; next++) {
      const detail = lines[next] ?? ''
      if (detail.trim() !== '' && !detail.startsWith(`${indent}  `)) break
      details.push(detail.slice(indent.length))
      if (detail === `${indent}  ...`) break
    }
    console.log(`\n✗ ${path}\n${details.join('\n')}`)
  })
}

function printCounts() {
  for (const [mark, place] of [
    ['inline', 'inline'],
    ['thread', 'in a thread'],
  ]) {
    const ran = lines.filter((line) => new RegExp(`^ *(?:not )?ok \\d+ - .* \\[${mark}\\]`).test(line))
    console.log(`Conformance tests run ${place}: ${ran.length}`)
  }
  // The summary at the left margin is that of the whole run; those of subtests are indented.
  const summary = lines.findLast((line) => line.startsWith('# { total: '))
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary ?? '')?.[1] ?? 0)
  // No summary: the run did not come to its end. A failure of tap's own that no assertion tells counts as one too.
  const ownFailures = summary === undefined ? 1 : count('fail')
  const failed = ownFailures + Number(failedChecks)
  console.log(`${count('pass')} passed, ${failed} failed, ${count('skip') + count('todo')} skipped`)
  process.exitCode = failed > 0 ? 1 : 0
}

if (what === 'failures') printFailures()
else printCounts()
