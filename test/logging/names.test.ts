import { pathToFileURL } from 'node:url'
import t from 'tap'
import { loggerName } from '../../src/logging/names.ts'

const cases: [string | URL, string][] = [
  ['billing', 'billing'],
  ['billing.eu', 'billing.eu'],
  ['app/billing', 'app/billing'],
  ['', ''],
  ['file:///app/src/hasher.ts', 'hasher'],
  ['file:///app/src/hasher.service.ts?v=1#x', 'hasher.service'],
  ['file:///app/src/hasher/index.ts', 'hasher'],
  ['file:///index.js', 'index'],
  ['file:///app/my%20service.js', 'my service'],
  ['file:///app/50%.js', '50%'],
  ['file:///C:/app/hasher.js', 'hasher'],
  ['/app/hasher/index.mjs', 'hasher'],
  ['./hasher.ts', 'hasher'],
  ['../hasher.ts', 'hasher'],
  ['C:\\app\\hasher.ts', 'hasher'],
  ['.env', '.env'],
  [new URL('file:///app/hasher.ts'), 'hasher'],
  [pathToFileURL('/app/a#b.ts'), 'a#b'],
  [import.meta.url, 'names.test'],
]

void t.test('names of loggers', async (t) => {
  for (const [source, name] of cases) t.equal(loggerName(source), name, String(source))
})
