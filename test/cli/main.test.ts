import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { BenchResult } from '../../src/cli/bench-result.ts'
import type { ShutdownReport } from '../../src/report/shutdown-report.ts'
import { Child } from './process.ts'

const APP = 'test/fixtures/cli/app.js'
const HOST = import.meta.resolve('../../src/host/host.js')

const cli = (t: Test, ...args: string[]): Child => new Child(t, ['src/cli/main.js', ...args])

void t.test('help and version', { jobs: 2 }, async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const cases: [string[], string | RegExp][] = [
    [['--help'], /Usage: bulkhead <command>/],
    [['bench', '--help'], /Usage: bulkhead bench <module>/],
    [['--version'], `${version}\n`],
  ]
  for (const [args, output] of cases) {
    void t.test(args.join(' '), async (t) => {
      const child = cli(t, ...args)
      t.equal(await child.ended(), 0)
      t.match(child.stdout, output)
      t.equal(child.stderr, '')
    })
  }
})

void t.test('a wrong command line is told in one line, with exit code 2', async (t) => {
  const child = cli(t, 'run', APP, '--report', 'xml')
  t.equal(await child.ended(), 2)
  t.equal(child.stderr, 'bulkhead: --report is one of text, json, svg, none, not "xml"\n')
  t.equal(child.stdout, '')
})

void t.test('a module that cannot be loaded, with exit code 1', { jobs: 2 }, async (t) => {
  const folder = t.testdir({
    'syntax.mjs': 'export default [\n',
    'stuck.mjs': 'await new Promise(() => {})\n',
    'busy.mjs': `setInterval(() => {}, 1000)\nthrow new Error('after a timer')\n`,
  })
  const cases: [string, RegExp, 'line' | 'stack'][] = [
    ['missing.mjs', /there is no file .*missing\.mjs/, 'line'],
    ['syntax.mjs', /syntax\.mjs could not be loaded:\n[^]*SyntaxError/, 'stack'],
    ['stuck.mjs', /never finished loading/, 'line'],
    ['busy.mjs', /could not be loaded:\nError: after a timer/, 'stack'],
  ]
  for (const [file, text, kind] of cases) {
    void t.test(file, async (t) => {
      const child = cli(t, 'run', `${folder}/${file}`)
      t.equal(await child.ended(), 1)
      t.match(child.stderr, text)
      t.equal(/^bulkhead: [^\n]+\n$/.test(child.stderr), kind === 'line', child.stderr)
    })
  }
})

void t.test('run', { jobs: 2 }, async (t) => {
  void t.test('a signal stops it; the waterfall is on stderr', async (t) => {
    const child = cli(t, 'run', APP)
    await child.sees('up')
    child.process.kill('SIGTERM')
    t.equal(await child.ended(), 0)
    t.match(child.stderr, /^Shutdown \(SIGTERM\): 3 services in .*, within the budget of 25 s\nHost /)
    t.match(child.stderr, /\n {2}Worker +inline +clean .*\n {6}/)
    t.match(child.stdout, '"msg":"[Host] Shutdown complete!"')
  })

  void t.test('json is the last line on stdout, after all of the log', async (t) => {
    const child = cli(t, 'run', '--report', 'json', APP, '{"act":"SIGTERM"}')
    t.equal(await child.ended(), 0)
    const report = JSON.parse(child.lastLine) as ShutdownReport
    t.equal(report.reason, 'SIGTERM')
    t.equal(child.stderr, '')
  })

  void t.test('options: the log level, the budget, no report, inline', async (t) => {
    const options = ['--log-level', 'error', '--report', 'none', '--stop-timeout', '50ms', '--inline']
    const child = cli(t, 'run', ...options, APP, '{"act":"SIGTERM","stopMs":3600000}')
    t.equal(await child.ended(), 1)
    t.match(child.stdout, 'Host/Worker did not stop within 50 ms')
    t.notMatch(child.stdout, 'Starting...')
    t.match(child.stderr, /^bulkhead: the process was still held 1 s after the stop, .*timer\n$/)
  })

  void t.test('a picture in a file, also when the process has to be ended', async (t) => {
    const out = `${t.testdir({})}/report.svg`
    const child = cli(t, 'run', '--report', 'svg', '--out', out, APP, '{"act":"held"}')
    t.equal(await child.ended(), 0)
    t.match(readFileSync(out, 'utf8'), /^<svg [^]*Shutdown \(SIGTERM\): 3 services[^]*<\/svg>\n$/)
  })

  void t.test('a file that cannot be written', async (t) => {
    const out = `${t.testdir({})}/none/report.txt`
    const child = cli(t, 'run', '--out', out, APP, '{"act":"SIGTERM"}')
    t.equal(await child.ended(), 1)
    t.match(child.stderr, /^bulkhead: the report could not be written to [^\n]*ENOENT[^\n]*\n$/)
  })

  void t.test('a failed start', async (t) => {
    const child = cli(t, 'run', APP, '{"startError":"the port is taken"}')
    t.equal(await child.ended(), 1)
    t.match(child.stderr, `bulkhead: ${APP} could not be started: Host/Worker: Error: the port is taken\n`)
    t.match(child.stderr, 'Shutdown (start-failed)')
  })

  void t.test('what holds the process afterwards is named; the exit code stays', async (t) => {
    const child = cli(t, 'run', '--report', 'none', APP, '{"act":"held"}')
    t.equal(await child.ended(), 0)
    t.match(child.stderr, /was ended; by: server listening on 127\.0\.0\.1:\d+, timer\n$/)
  })

  void t.test('Ctrl-C twice at once is one, also when the stop is over before the second', async (t) => {
    const child = cli(t, 'run', APP, '{"act":"twice"}')
    t.equal(await child.ended(), 0)
    t.match(child.stderr, 'Shutdown (SIGINT)')
  })

  void t.test('options override those of a Host that is exported', async (t) => {
    const folder = t.testdir({
      'host.mjs': `import { Host } from '${HOST}'
const host = new Host([], { stopTimeout: '1h', logger: { level: 'trace' } })
host.onChange(({ state }) => state === 'running' && void host.shutdown())
export default host`,
    })
    const options = ['--report', 'json', '--log-level', 'silent', '--stop-timeout', '3s']
    const child = cli(t, 'run', ...options, `${folder}/host.mjs`)
    t.equal(await child.ended(), 0)
    t.match(JSON.parse(child.stdout), { reason: 'stop', budgetMs: 3000 })
  })
})

void t.test('graph', { jobs: 2 }, async (t) => {
  void t.test('stdout has the drawing alone', async (t) => {
    const child = cli(t, 'graph', '--inline', '--format', 'mermaid', APP)
    t.equal(await child.ended(), 0)
    t.match(child.stdout, /^flowchart TD\n {2}n0\["Host<br\/>running"\]\n[^]*n2\["inline<br\/>running"\]/)
    t.match(child.stderr, 'stopping')
  })

  void t.test('a failed start', async (t) => {
    const child = cli(t, 'graph', '--format', 'dot', APP, '{"startError":"no"}')
    t.equal(await child.ended(), 1)
    t.equal(child.stdout, '')
    t.match(child.stderr, /could not be started: Host\/Worker: Error: no\n$/)
  })
})

void t.test('bench', { jobs: 2 }, async (t) => {
  void t.test('json', async (t) => {
    const child = cli(t, 'bench', '--runs', '2', '--json', APP)
    t.equal(await child.ended(), 0, child.stderr)
    const result = JSON.parse(child.stdout) as BenchResult
    t.match(result.samples, { start: [Number, Number], shutdown: [Number, Number] })
    t.match(result, { runs: 2, start: { p50: Number, p90: Number, p99: Number }, shutdown: { p50: Number } })
    t.same(
      result.services.map(({ path }) => path),
      ['Host', 'Host/Worker', 'Host/thread'],
    )
    for (const { phases } of result.services)
      t.match(phases, { start: { p50: Number }, stop: { p50: Number } })
  })

  void t.test('compared with an earlier result, and a limit that is not kept', async (t) => {
    const samples = { start: [1, 2], shutdown: [1, 2] }
    const old = JSON.stringify({ runs: 2, samples, services: [{ path: 'Host', samples: { stop: [1, 2] } }] })
    const folder = t.testdir({ 'old.json': old, 'other.json': '{}' })
    const child = cli(
      t,
      'bench',
      '--runs',
      '1',
      '--compare',
      `${folder}/old.json`,
      '--fail-over',
      '0.1ms',
      APP,
    )
    t.equal(await child.ended(), 1)
    t.match(child.stdout, /\nHost +stop .* no difference beyond the noise\n/)
    t.match(
      child.stderr,
      /^bulkhead: the p99 of the shutdown is [\d.]+ ms, longer than the 0.1ms of --fail-over\n$/,
    )

    const other = cli(t, 'bench', '--compare', `${folder}/other.json`, APP)
    t.equal(await other.ended(), 1)
    t.match(other.stderr, /^bulkhead: [^\n]*other.json is no result of "bulkhead bench --json"[^\n]*\n$/)
  })

  void t.test('a run that fails ends it', async (t) => {
    const child = cli(t, 'bench', '--runs', '3', APP, '{"startError":"no"}')
    t.equal(await child.ended(), 1)
    t.match(child.stderr, `bulkhead: the warm-up run failed (exit code 1); stopped measuring ${APP}\n`)
    t.equal(child.stdout, '')
  })
})
