import { readFileSync } from 'node:fs'
import t from 'tap'
import { lockedProgram, problemsOfLock } from '../../.ci/lock.mjs'

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))
const lock = read('package-lock.json') as Parameters<typeof problemsOfLock>[0]
const own = lock.packages['']

t.test('the lock file is complete for every platform', async (t) => {
  t.strictSame(
    problemsOfLock(lock),
    [],
    '`npm install --package-lock-only`, without node_modules, fills a gap',
  )
  const platforms = Object.keys(lock.packages).filter((place) => place.includes('/@oxlint/binding-'))
  for (const os of ['darwin', 'win32', 'linux']) t.ok(platforms.some((place) => place.includes(os)))
  t.ok(platforms.some((place) => place.endsWith('-musl')))
})

t.test('the lock file is that of the manifest', async (t) => {
  const { dependencies, devDependencies, peerDependencies } = read('package.json') as Record<string, unknown>
  t.match(own, { dependencies, devDependencies, peerDependencies })
})

t.test('a gap is found, and what another registry left', async (t) => {
  const integrity = 'sha512-x'
  const packages = {
    '': { name: 'own', dependencies: { a: '1' }, devDependencies: { b: '1' } },
    'node_modules/a': { integrity, dependencies: { c: '1' }, optionalDependencies: { 'a-darwin': '1' } },
    'node_modules/a/node_modules/c': { integrity, dependencies: { a: '1', d: '1' } },
    'node_modules/d': { resolved: 'https://registry.example/d.tgz' },
  }
  t.strictSame(problemsOfLock({ packages }), [
    ' needs b, which has no entry',
    'node_modules/a needs a-darwin, which has no entry',
    'node_modules/d has no integrity',
    'node_modules/d is from https://registry.example/d.tgz',
  ])
})

t.test('a program gets what the package needs, in the same versions', async (t) => {
  const program = lockedProgram(lock, { file: '../it.tgz', integrity: 'sha512-x' }, ['@types/node'])
  t.strictSame(program.manifest.dependencies, {
    '@types/node': own?.devDependencies?.['@types/node'],
    bulkhead: 'file:../it.tgz',
  })
  const { packages } = program.lock
  t.strictSame(problemsOfLock({ packages: { ...packages, 'node_modules/bulkhead': { integrity: 'x' } } }), [])
  t.equal(packages['node_modules/bulkhead']?.resolved, 'file:../it.tgz')
  t.equal(packages['node_modules/pino']?.version, lock.packages['node_modules/pino']?.version)
  t.ok(packages['node_modules/undici-types'], 'and what that needs')
  t.notOk(packages['node_modules/tap'], 'and no tools')
  t.notOk(packages['node_modules/@types/node']?.dev)
})
