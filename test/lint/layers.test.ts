import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ROOMS, closedTo, roomsTable } from '../../.ci/rooms.mjs'
import { runClean } from '../support/clean-process.ts'

const SETTINGS = 'oxlint.config.mjs'
const root = fileURLToPath(new URL('../..', import.meta.url))

const NAMES = ROOMS.map(({ name }) => name)
const mayImport = new Map(
  ROOMS.map((room) => [
    room.name,
    NAMES.filter((name) => name !== room.name && !closedTo(room).includes(name)),
  ]),
)

interface Diagnostic {
  readonly code: string
  readonly filename: string
  readonly message: string
}

/** Lints a tree of files with this project's settings, away from the sources that other tests are using. */
function lint(files: Readonly<Record<string, string>>): Map<string, string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-lint-'))
  try {
    for (const name of [SETTINGS, '.ci/rooms.mjs']) cpSync(join(root, name), join(folder, name))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
    const stdout = runClean(process.execPath, [oxlint, '-c', SETTINGS, '--format', 'json'], {
      cwd: folder,
      mayFail: true,
    })
    const codes = new Map<string, string[]>()
    for (const { filename, code } of (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics) {
      const name = filename.replaceAll('\\', '/')
      codes.set(name, [...(codes.get(name) ?? []), code])
    }
    return codes
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const REFUSED = 'eslint(no-restricted-imports)'

t.test('every room has its rules', async (t) => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.split(sep))
  const rooms = new Set(sources.filter(({ length }) => length > 1).map(([room]) => room!))
  t.strictSame([...rooms].toSorted(), NAMES.toSorted())
})

t.test('CONTRIBUTING shows the table of rooms as it is', async (t) => {
  t.ok(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').includes(roomsTable()), roomsTable())
})

t.test('each package that is kept to one room is a dependency', async (t) => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: object
  }
  t.strictSame(
    ROOMS.flatMap(({ packages = [] }) => packages).toSorted(),
    Object.keys(dependencies).toSorted(),
  )
})

t.test('lint refuses an import from a room below, and no other', async (t) => {
  const files: Record<string, string> = {}
  for (const from of NAMES) {
    for (const to of NAMES) {
      if (from === to) continue
      files[`src/${from}/imports-${to}.ts`] = `import { a } from '../${to}/a.ts'\nexport const b = a\n`
    }
  }
  const found = lint(files)
  const wrong = []
  for (const from of NAMES) {
    for (const to of NAMES) {
      if (from === to) continue
      const refused = found.get(`src/${from}/imports-${to}.ts`)?.includes(REFUSED) ?? false
      if (refused === mayImport.get(from)!.includes(to)) wrong.push(`${from} -> ${to}: refused is ${refused}`)
    }
  }
  t.strictSame(wrong, [])
})

t.test('lint refuses a heavy dependency outside the room it belongs to', async (t) => {
  const owners = new Map(
    ROOMS.flatMap(({ name, packages = [] }) => packages.map((each) => [each, name] as const)),
  )
  const files: Record<string, string> = {}
  for (const room of NAMES) {
    for (const name of owners.keys()) {
      files[`src/${room}/uses-${name}.ts`] = `import x from '${name}'\nexport const y = x\n`
    }
  }
  const found = lint(files)
  for (const [name, owner] of owners) {
    const allowed = NAMES.filter((room) => !found.get(`src/${room}/uses-${name}.ts`)?.includes(REFUSED))
    t.strictSame(allowed, [owner], name)
  }
})

t.test('lint refuses cycles, default exports and the public entry', async (t) => {
  const found = lint({
    'src/base/a.ts': `import { b } from './b.ts'\nexport const a = (): unknown => b\n`,
    'src/base/b.ts': `import { a } from './a.ts'\nexport const b = (): unknown => a\n`,
    'src/base/c.ts': 'const c = 1\nexport default c\n',
    'src/index.ts': 'export const d = 1\n',
    'src/cli/e.ts': `import { d } from '../index.ts'\nexport const e = d\n`,
  })
  t.match(found.get('src/base/a.ts'), ['import(no-cycle)'])
  t.match(found.get('src/base/c.ts'), ['import(no-default-export)'])
  t.match(found.get('src/cli/e.ts'), [REFUSED])
})

t.test('nothing imports on demand but importModule, since the published library is a script', (t) => {
  // A method may be named so, a type is none.
  const onDemand = /(?<![.\w]|typeof )import\((?!.*\): )/
  const lines = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.startsWith(`cli${sep}`))
    .flatMap((name) =>
      readFileSync(join(root, 'src', name), 'utf8')
        .split('\n')
        .filter((line) => onDemand.test(line) && !/^ *(\/\/|\*|\/\*)/.test(line))
        .map(() => name.replaceAll(sep, '/')),
    )
  t.strictSame(lines, ['base/import-module.ts'])
  t.end()
})
