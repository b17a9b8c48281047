import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker, threadId } from 'node:worker_threads'
import t from 'tap'
import { isolate } from '../support/isolate.ts'
import { tsxFor } from '../../src/worker/tsx.ts'
import type Plain from '../fixtures/modules/plain.ts'
import { Named } from '../fixtures/modules/plain.ts'
import { both, fixture, quiet } from '../support/both.ts'

quiet()

both(
  'URL form: default export, or the one named; label is the base name of the file',
  async (t, isolation) => {
    const url = fixture('modules/plain')
    const handle = isolate<Plain>(url, { isolation })
    t.equal(handle.label, 'plain')
    t.equal(handle.state, 'init')
    await handle.start()
    t.match(await handle.where(), { name: 'Plain', isMainThread: isolation === 'inline' })
    t.equal((await handle.where()).threadId, handle.threadId)
    await handle.stop()
    const named = isolate<Named>(fileURLToPath(url), { isolation, export: 'Named', label: 'Other' })
    t.equal(named.label, 'Other')
    t.equal(named.beacon.path, 'Other')
    await named.start()
    t.match(await named.where(), { name: 'Named', label: 'Other', path: 'Other' })
    await named.stop()
    const text = isolate<Named>(url.href, { isolation, export: 'Named' })
    await text.start()
    t.equal((await text.where()).name, 'Named')
    await text.stop()
  },
)

both('class form: the export is found by identity; label is the class name', async (t, isolation) => {
  const handle = isolate(Named, { isolation })
  t.equal(handle.label, 'Named')
  await handle.start()
  t.match(await handle.where(), { name: 'Named', label: 'Named', path: 'Named' })
  await handle.stop()
})

t.test('a TypeScript module loads in a thread, through tsx', async (t) => {
  const handle = isolate<Plain>(new URL('../fixtures/modules/plain.ts', import.meta.url))
  await handle.start()
  t.match(await handle.where(), { name: 'Plain', isMainThread: false, path: 'plain' })
  await handle.stop()
  t.equal(handle.state, 'stopped')
})

t.test('importing the library in a thread loads neither pino nor piscina', async (t) => {
  const handle = isolate(Named)
  await handle.start()
  const loaded = await handle.loaded()
  t.same(
    loaded.filter((file) => /node_modules\/(pino|piscina|thread-stream|sonic-boom)\//.test(file)),
    [],
  )
  await handle.stop()
})

t.test('BULKHEAD_ISOLATION=inline overrides the default, not what is asked for', async (t) => {
  process.env['BULKHEAD_ISOLATION'] = 'inline'
  t.teardown(() => delete process.env['BULKHEAD_ISOLATION'])
  const handle = isolate(Named)
  await handle.start()
  t.equal(handle.threadId, threadId)
  await handle.stop()
  const asked = isolate(Named, { isolation: 'thread' })
  await asked.start()
  t.not(asked.threadId, threadId)
  await asked.stop()
})

t.test('env and execArgv are as for Worker', async (t) => {
  const handle = isolate(Named, { env: { ...process.env, ONLY_THERE: 'yes' }, execArgv: ['--no-warnings'] })
  await handle.start()
  t.equal(await handle.env('ONLY_THERE'), 'yes')
  t.equal(process.env['ONLY_THERE'], undefined)
  t.ok((await handle.execArgv()).includes('--no-warnings'))
  await handle.stop()
})

t.test('a process whose handles have stopped exits by itself', async (t) => {
  const program = `
    import { isolate } from ${JSON.stringify(new URL('../../src/index', import.meta.url).href + ext())}
    const handle = isolate(${JSON.stringify(fixture('modules/plain').href)})
    await handle.start()
    await handle.where()
    await handle.restart()
    await handle.crash(new Error('x'))
    await handle.start()
    await handle.stop()
    await new Promise((resolve) => setImmediate(resolve))
    const holding = process.getActiveResourcesInfo().filter((what) => /Timeout|Worker|MessagePort/.test(what))
    process.on('exit', () => process.stdout.write(\`left, held by \${holding.length} \${holding}\\n\`))
  `
  const { output, code } = await runProgram(program)
  t.match(output, /left, held by 0 /, 'nothing that would end later on')
  t.equal(code, 0, output)
})

t.test('it works inside other people’s workers', async (t) => {
  const library = new URL(`../../src/index${ext()}`, import.meta.url).href
  const module = fixture('modules/plain').href
  const worker = new Worker(new URL('../fixtures/foreign.js', import.meta.url), {
    workerData: { library, module, tsx: tsxFor(module) },
    execArgv: [],
  })
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  const said = await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  t.match(said, { where: { name: 'Plain', isMainThread: false }, state: 'stopped' })
  t.equal(await exited, 0)
})

function ext(): string {
  return import.meta.url.endsWith('.ts') ? '.ts' : '.js'
}

function runProgram(program: string): Promise<{ output: string; code: number | null }> {
  const flags = ext() === '.ts' ? ['--import', 'tsx'] : []
  const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ output, code }))
  })
}
