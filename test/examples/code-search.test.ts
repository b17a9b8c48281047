import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { bestLine, readSource } from '../../examples/code-search/source.ts'
import { parseQuery, TextIndex } from '../../examples/code-search/text-index.ts'
import { terms, tokenize } from '../../examples/code-search/tokenize.ts'
import { walk } from '../../examples/code-search/walk.ts'

const asRoot = process.getuid?.() === 0

void t.test('a name gives itself and its parts, in lower case', async (t) => {
  const cases: Record<string, string[]> = {
    plain: ['plain'],
    readFileSync: ['readfilesync', 'read', 'file', 'sync'],
    ServiceProxy: ['serviceproxy', 'service', 'proxy'],
    XMLHttpRequest: ['xmlhttprequest', 'xml', 'http', 'request'],
    ERR_NOT_RUNNING: ['err_not_running', 'err', 'not', 'running'],
    _private: ['_private', 'private'],
    sha256sum: ['sha256sum', 'sha', '256', 'sum'],
    größeÄndern: ['größeändern', 'größe', 'ändern'],
    検索: ['検索'],
    'a.b(i, 7)': [],
    ['x'.repeat(65)]: [],
    '': [],
  }
  for (const [text, expected] of Object.entries(cases)) t.same(terms(text), expected, text)
  t.same(tokenize('x = getUser'), [
    { term: 'getuser', start: 4 },
    { term: 'get', start: 4 },
    { term: 'user', start: 7 },
  ])
})

void t.test('a search finds names however they are written, whole names first', async (t) => {
  const index = new TextIndex()
  const search = (query: string): string[] => index.search(parseQuery(query)).map(({ path }) => path)
  index.add('camel', 'const readFile = 1')
  index.add('snake', 'def read_file(): pass')
  index.add('apart', 'read the book, then file the report')
  index.add('half', 'read on, reader')
  t.equal(search('readFile')[0], 'camel')
  t.same(search('readFile').sort(), ['apart', 'camel', 'snake'])
  t.same(search('read_file')[0], 'snake')
  t.same(search('rea rep'), ['apart'], 'beginnings of words, all of them')
  t.same(search('re'), [], 'but not from two letters')
  for (const nothing of ['', ' ', '***', 'x', 'absent', 'read absent'])
    t.same(search(nothing), [], `"${nothing}"`)
  t.ok(search('read '.repeat(5000)).length > 0, 'a very long query')

  index.remove('camel')
  index.remove('never there')
  t.same(search('readFile').sort(), ['apart', 'snake'])
  index.add('camel', 'nothing')
  t.equal(index.size, 4)
  t.same(search('nothing'), ['camel'])
})

void t.test('the best line has most of the terms, and marks without overlaps', async (t) => {
  const source = 'worker\r\n  new Worker(file) // "worker_threads"\nfile\nworker and file again\n'
  const best = bestLine(source, ['worker', 'file'])
  t.same(best, {
    line: 2,
    text: 'new Worker(file) // "worker_threads"',
    marks: [
      [4, 10],
      [11, 15],
      [21, 27],
    ],
  })
  t.equal(bestLine('workers\nworker', ['worker'])?.line, 2, 'whole words before beginnings')
  t.same(bestLine('getUserName()', parseQuery('getUserName').flat())?.marks, [[0, 11]])
  t.equal(bestLine('network', ['work']), undefined, 'not in the middle of a word')
  t.equal(bestLine(source, []), undefined)
  t.equal(bestLine('', ['worker']), undefined)
})

void t.test('the walk finds files, in any depth, and no more', async (t) => {
  const folder = t.testdir({
    'a.ts': 'a',
    Makefile: 'all:',
    '.hidden-file': 'h',
    '.git': { config: 'c' },
    deep: { deeper: { 'b.ts': 'bb', loop: t.fixture('symlink', '..') } },
    link: t.fixture('symlink', 'a.ts'),
    dangling: t.fixture('symlink', 'nowhere'),
    empty: {},
  })
  symlinkSync(folder, join(folder, 'deep', 'to-the-top'))
  const found = [...walk(folder)].map((file) => relative(folder, file.path))
  t.same(found.sort(), ['.hidden-file', 'Makefile', 'a.ts', join('deep', 'deeper', 'b.ts')])
  t.match([...walk(join(folder, 'deep'))], [{ size: 2, modified: Number }])
  const missing = join(folder, 'missing')
  t.match([...walk(missing)], [{ path: missing }], 'what cannot be listed is passed on, to be counted')
  t.same(readSource(missing), { skipped: 'unreadable' })
})

void t.test('binary, large and unreadable files are skipped, long lines are blanked', async (t) => {
  const folder = t.testdir({
    'a.ts': 'one\ntwo\r\n',
    'long.js': `first\n${'x'.repeat(501)}\nthird`,
    empty: '',
  })
  const path = (name: string): string => join(folder, name)
  writeFileSync(path('binary'), Buffer.from([0x7f, 0x45, 0, 1]))
  t.same(readSource(path('a.ts'), 9), { text: 'one\ntwo\r\n' })
  t.same(readSource(path('long.js'), 513), { text: 'first\n\nthird' })
  t.same(readSource(path('empty'), 0), { text: '' })
  t.same(readSource(path('binary'), 4), { skipped: 'binary' })
  t.same(readSource(path('a.ts'), 2 ** 20 + 1), { skipped: 'tooLarge' })
  t.same(readSource(folder), { skipped: 'unreadable' })
  await t.test('no permission', { skip: asRoot && 'root may read everything' }, async (t) => {
    chmodSync(path('a.ts'), 0)
    t.same(readSource(path('a.ts'), 9), { skipped: 'unreadable' })
  })
})
