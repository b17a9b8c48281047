import t from 'tap'
import { failuresIn, listOf, totalsOf } from '../../.ci/tap.mjs'

const FAILED = `TAP version 14
1..2
# Subtest: test/a.test.js
    # Subtest: outer
        ok 1 - one
        # Subtest: inner \\# 1
            not ok 1 - the same
              ---
              compare: ===
              at:
                fileName: test/a.test.ts
                lineNumber: 6
                columnNumber: 7
                generated:
                  fileName: test/a.test.js
                  lineNumber: 9
              stack: |
                test/a.test.js:9:11 (test/a.test.ts:6:7)
              source: |2
                  t.equal(1, 2)
                ------^
              stderr: ""
              diff: >
                --- expected

                +++ actual

                @@ -1,1 +1,1 @@
                -not ok 7 - of the diff
                 source: kept
                +1
              ...
            
            1..1
        not ok 2 - inner \\# 1 # time=1ms
          ---
          at:
            fileName: test/a.test.ts
            lineNumber: 5
            columnNumber: 1
          ...
        
        1..2
    not ok 1 - outer # time=2ms
    
    not ok 2 - later # TODO
    # Subtest: does nothing
        1..0
    not ok 3 - does nothing # time=1ms
      ---
      plan: 0
      ...
    
    1..3
    # { total: 4, fail: 99 }
not ok 1 - test/a.test.js # time=3ms
  ---
  exitCode: 1
  signal: null
  ...

# Subtest: test/b.test.js
    ok 1 - fine
    1..1
ok 2 - test/b.test.js # time=1ms

# { total: 5, pass: 2, fail: 2, todo: 1 }
`

t.test('a failure is the assertion, below its file and tests, with what matters of it', async (t) => {
  t.strictSame(listOf(failuresIn(FAILED)), [
    '',
    '✗ test/a.test.ts > outer > inner # 1 > the same',
    '    at test/a.test.ts:6:7',
    '    diff: >',
    '      --- expected',
    '      +++ actual',
    '      @@ -1,1 +1,1 @@',
    '      -not ok 7 - of the diff',
    '       source: kept',
    '      +1',
    '',
    '✗ test/a.test.ts > does nothing > failed',
    '    plan: 0',
  ])
})

const ended = (file: string, how: string, below = '') => `# Subtest: ${file}
${below}    1..0 # no tests found
not ok 1 - ${file} # time=1ms
  ---
  command: node
  args:
    - ${file}
${how}
  ...

`
const messages = (tap: string, files?: string[]) =>
  failuresIn(tap, files).map(({ path, message }) => [...path, message].join(' > '))

t.test('a file that ends without an assertion is a failure', async (t) => {
  const begun = '    # Subtest: begins\n        ok 1 - one\n'
  const killed = ended('b.test.js', '  exitCode: null\n  signal: SIGKILL', begun)
  const tap = ended('a.test.js', '  exitCode: 3\n  signal: null') + killed
  t.strictSame(messages(tap), [
    'a.test.js > ended with code 3 and told of no failure',
    'b.test.js > begins > was ended by SIGKILL in this test',
  ])
  const expired = 'not ok 3 - timeout!\n  ---\n  expired: b.test.js\n  ...\n'
  t.strictSame(messages(killed + expired, ['b.test.js', 'c.test.js']), [
    'b.test.js > begins > did not end in its time',
    'c.test.js > has no result',
  ])
  t.strictSame(messages(expired), ['b.test.js > did not end in its time'], 'also where tap says no more')
  t.strictSame(messages('Bail out! Enough\n'), ['Bail out! Enough'])
})

t.test('a file that fails and is then ended is two failures', async (t) => {
  const tap = ended('a.test.js', '  exitCode: null\n  signal: SIGALRM', '    not ok 1 - one\n')
  t.strictSame(messages(tap), ['a.test.js > one', 'a.test.js > was ended by SIGALRM'])
})

const small = (name: string) => `# Subtest: ${name}\n    not ok 1 - all\nnot ok 1 - ${name}\n`

t.test('the list is short, however much fails', async (t) => {
  const diff = Array.from({ length: 3_000 }, (_, line) => `          -${line}${'x'.repeat(3_000)}`)
  const failure = ['    not ok 1 - all', '      ---', '      diff: |', ...diff, '      ...', '']
  const file = (name: string, times: number) =>
    `# Subtest: ${name}\n${failure.join('\n').repeat(times)}not ok 1 - ${name}\n`
  const one = listOf(failuresIn(file('a.test.js', 20)))
  t.equal(one.at(-1), '+ 15 more in a.test.ts')
  t.ok(one.length < 5 * 22, `${one.length} lines`)
  t.ok(one.includes('    … 2987 more lines'))
  t.ok(one.every((line) => line.length < 500))

  const many = Array.from({ length: 200 }, (_, index) => small(`${index}.test.js`)).join('')
  const all = listOf(failuresIn(many))
  t.equal(all.at(-1), '+ 150 more')
  t.equal(all.filter((line) => line.startsWith('✗')).length, 50)
})

t.test('the totals are those of the whole run', async (t) => {
  t.strictSame(totalsOf(FAILED), { ok: false, line: '2 passed, 2 failed, 1 skipped' })
  t.strictSame(totalsOf(FAILED, 2), { ok: false, line: '2 passed, 4 failed, 1 skipped' })
  t.strictSame(totalsOf('# { total: 3, pass: 3 }\n'), { ok: true, line: '3 passed, 0 failed, 0 skipped' })
  t.strictSame(totalsOf('ok 1 - cut short\n'), { ok: false, line: '0 passed, 1 failed, 0 skipped' })
})
