import t from 'tap'
import { ModuleError, loadHost } from '../../src/cli/load.ts'
import type { Host } from '../../src/host/host.ts'
import { Child } from './process.ts'

const INDEX = import.meta.resolve(`../../src/index${import.meta.url.slice(-3)}`)
const HOST = import.meta.resolve(`../../src/host/host${import.meta.url.slice(-3)}`)
const HEAD = `import { Service } from '${INDEX}'
import { Host } from '${HOST}'
class Api extends Service {
  constructor(name = 'api') { super({ label: name }) }
}
`
// Once tsx is there, it takes each .js for the .ts beside it: what needs it comes last, or has a process of its own.
const TYPED = HEAD.replace("name = 'api'", "name: string = 'api'")

const load = (module: string, args: string[] = []): Promise<Host> => loadHost({ module, args, inline: false })

void t.test('what a module may export', async (t) => {
  const folder = t.testdir({
    'class.mjs': `${HEAD}export default Api`,
    'instance.mjs': `${HEAD}export default new Api('one')`,
    'array.mjs': `${HEAD}export default [new Api('one'), { service: new Api('two'), restart: 'temporary' }]`,
    'function.mjs': `${HEAD}export default (args) => args.map((name) => new Api(name))`,
    'async.mjs': `${HEAD}export default async () => Api`,
    folder: { 'index.js': 'export default 1', 'main.mjs': `${HEAD}export default new Api('main')` },
    'host.mjs': `${HEAD}export default new Host([new Api('one')], { label: 'root' })`,
    'host-class.mjs': `${HEAD}export default class Mine extends Host { constructor() { super([new Api()]) } }`,
  })
  const cases: [string, string[], string][] = [
    ['class.mjs', [], 'Host (init)\n└─ api (init)'],
    ['instance.mjs', [], 'Host (init)\n└─ one (init)'],
    ['array.mjs', [], 'Host (init)\n├─ one (init)\n└─ two (init)'],
    ['function.mjs', ['x', '-y'], 'Host (init)\n├─ x (init)\n└─ -y (init)'],
    ['async.mjs', [], 'Host (init)\n└─ api (init)'],
    ['host.mjs', [], 'root (init)\n└─ one (init)'],
    ['folder', [], 'Host (init)\n└─ main (init)'],
    ['host-class.mjs', [], 'Mine (init)\n└─ api (init)'],
  ]
  for (const [file, args, tree] of cases) {
    t.equal((await load(`${folder}/${file}`, args)).beacon.toTree(), tree, file)
  }
  t.equal((await load(`file://${folder}/class.mjs`)).beacon.toTree(), cases[0]![2], 'an address')
})

void t.test('a TypeScript module', async (t) => {
  const head = TYPED.replaceAll(/(index|host)\.js'/g, "$1.ts'")
  const folder = t.testdir({ 'typed.ts': `${head}enum E { a }\nexport default new Api(E[0])` })
  const child = new Child(t, [
    '--import',
    'tsx',
    'src/cli/main.ts',
    'graph',
    '--no-start',
    `${folder}/typed.ts`,
  ])
  t.equal(await child.ended(), 0)
  t.equal(child.stdout, 'Host (init)\n└─ a (init)\n')
})

void t.test('what cannot be used, and how that is told', async (t) => {
  const folder = t.testdir({
    'import.mjs': `import 'no-such-package'\n`,
    'throws.mjs': `throw new TypeError('broken at load')\n`,
    'nothing.mjs': 'export const app = 1\n',
    'number.mjs': 'export default 42\n',
    'element.mjs': `export default () => [{ name: 'x' }]\n`,
    'function.mjs': `export default async function app() { throw new RangeError('broken in app') }\n`,
    'twofold.mjs': `export default () => function inner() {}\n`,
    'stranger.mjs': 'export default class Stranger {}\n',
    'new.mjs': `${HEAD}export default class A extends Api { constructor() { throw new Error('broken in new') } }\n`,
    'twice.mjs': `${HEAD}const a = new Api()\na.addDependency(new Api())\nexport default a.children\n`,
    commonjs: { 'package.json': '{}', 'app.ts': `${TYPED}export default new Api('common')` },
  })
  const cases: [string, RegExp, 'line' | 'stack'][] = [
    ['missing.mjs', /^there is no file .*missing\.mjs$/, 'line'],
    ['', /is a folder without a main or index file: name a file in it$/, 'line'],
    ['import.mjs', /could not be loaded: .*'no-such-package'/, 'line'],
    ['throws.mjs', /could not be loaded:\nTypeError: broken at load\n +at .*throws\.mjs:1/, 'stack'],
    ['nothing.mjs', /has no default export: export a Service/, 'line'],
    ['number.mjs', /the default export of .* is 42: export a Service/, 'line'],
    ['element.mjs', /element 0 of the default export of .* is { name: 'x' }/, 'line'],
    ['function.mjs', /the default export of .* failed:\nRangeError: broken in app\n +at app/, 'stack'],
    ['twofold.mjs', /the default export of .* is a function \(inner\)/, 'line'],
    ['stranger.mjs', /the default export of .* is Stranger {}/, 'line'],
    ['new.mjs', /failed:\nError: broken in new/, 'stack'],
    ['twice.mjs', /cannot be hosted: .*already belongs to/, 'line'],
    ['commonjs/app.ts', /another copy of bulkhead .* "type": "module"/, 'line'],
  ]
  for (const [file, text, kind] of cases) {
    const error = await load(`${folder}/${file}`).then(
      () => undefined,
      (error: unknown) => error as Error,
    )
    t.type(error, ModuleError, file)
    t.match(error?.message, text, file)
    t.equal(error?.message.includes('\n'), kind === 'stack', file)
  }
})
