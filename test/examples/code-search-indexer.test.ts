import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type IndexStats, Indexer } from '../../examples/code-search/indexer.ts'
import { until } from '../support/both.ts'

async function started(t: Test, folder: string): Promise<Indexer> {
  const indexer = new Indexer(folder)
  await indexer.start()
  t.teardown(() => indexer.stop())
  return indexer
}

async function finished(indexer: Indexer): Promise<IndexStats> {
  await until(async () => (await indexer.stats()).done, 'the end of the indexing')
  return indexer.stats()
}

void t.test('it counts what it indexes and what it skips', async (t) => {
  const folder = t.testdir({
    'a.ts': 'const answer = 42\n',
    'b.ts': 'nothing\n// the answer to getAnswer\n',
    large: 'x\n'.repeat(2 ** 19 + 1),
    binary: 'a\0b',
    deep: { 'c.md': 'no' },
  })
  const indexer = await started(t, folder)
  const expected = {
    folder,
    files: 5,
    indexed: 3,
    skipped: { binary: 1, unreadable: 0, tooLarge: 1 },
    bytes: 18 + 35 + 2,
    done: true,
    progress: 1,
  }
  t.match(await finished(indexer), expected)
  const { hits, ...rest } = await indexer.search('answer', 10)
  t.same(rest, { query: 'answer', total: 2, progress: 1 })
  t.same(hits.map(({ path, line, text }) => `${path}:${line} ${text}`).sort(), [
    'a.ts:1 const answer = 42',
    'b.ts:2 // the answer to getAnswer',
  ])
  t.equal((await indexer.search('answer', 1)).hits.length, 1)
  t.same((await indexer.search('***', 10)).hits, [])
})

void t.test('an empty folder is done at once', async (t) => {
  t.match(await finished(await started(t, t.testdir({}))), { files: 0, indexed: 0, done: true, progress: 1 })
})

void t.test('a folder that is none fails the start with one clear line', async (t) => {
  const folder = t.testdir({ file: '' })
  const missing = join(folder, 'missing')
  await t.rejects(new Indexer(missing).start(), {
    message: `cannot search ${missing}: there is no such folder`,
  })
  const file = join(folder, 'file')
  await t.rejects(new Indexer(file).start(), { message: `cannot search ${file}: it is not a folder` })
})

void t.test('it answers while it indexes, and a stop ends that at once', async (t) => {
  const indexer = await started(t, join(import.meta.dirname, '..', '..', 'node_modules'))
  await until(async () => (await indexer.stats()).indexed >= 10, 'the first files')
  t.match(await indexer.search('function', 5), { query: 'function', total: Number })
  t.match(await indexer.stats(), { done: false })
  const { indexed } = await indexer.stats()
  await indexer.stop()
  const after = await indexer.stats()
  t.match(after, { done: false })
  t.ok(after.indexed < indexed + 100, `${after.indexed} files after the stop, ${indexed} before it`)
})
