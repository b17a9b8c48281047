import t from 'tap'
import { UsageError, parseCommand } from '../../src/cli/args.ts'

void t.test('what is understood', async (t) => {
  const run = { name: 'run', module: 'app.ts', args: [], inline: false, report: 'text' }
  const more = { logLevel: undefined, stopTimeout: undefined, out: undefined }
  const bench = {
    name: 'bench',
    module: 'app.ts',
    args: [],
    inline: false,
    compare: undefined,
    failOver: undefined,
  }
  const cases: [string, object][] = [
    ['run app.ts', { ...run, ...more }],
    ['run --inline app.ts', { ...run, ...more, inline: true }],
    ['run app.ts --inline a b', { ...run, ...more, inline: true, args: ['a', 'b'] }],
    ['run app.ts a -- --report b -- -h', { ...run, ...more, args: ['a', '--report', 'b', '--', '-h'] }],
    ['run app.ts --report=json --report none', { ...run, ...more, report: 'none' }],
    [
      'run app.ts --log-level silent --stop-timeout 1.5s',
      { ...run, ...more, logLevel: 'silent', stopTimeout: '1.5s' },
    ],
    [
      'graph app.ts',
      { name: 'graph', module: 'app.ts', args: [], inline: false, format: 'tree', start: true },
    ],
    [
      'graph --no-start --format dot app.ts',
      { name: 'graph', module: 'app.ts', args: [], inline: false, format: 'dot', start: false },
    ],
    ['run app.ts --report svg --out a/b.svg', { ...run, ...more, report: 'svg', out: 'a/b.svg' }],
    ['run app.ts --out=report.txt', { ...run, ...more, out: 'report.txt' }],
    ['bench app.ts', { ...bench, runs: 10, json: false }],
    ['bench app.ts --runs 3 --json x', { ...bench, args: ['x'], runs: 3, json: true }],
    [
      'bench app.ts --compare old.json --fail-over 1.5s',
      { ...bench, runs: 10, json: false, compare: 'old.json', failOver: '1.5s' },
    ],
    ['--help', { name: 'help', topic: undefined }],
    ['-h', { name: 'help', topic: undefined }],
    ['--version', { name: 'version' }],
    ['-v', { name: 'version' }],
    ['run --help', { name: 'help', topic: 'run' }],
    ['graph app.ts -h', { name: 'help', topic: 'graph' }],
    ['bench --version', { name: 'version' }],
  ]
  for (const [line, expected] of cases) t.same(parseCommand(line.split(' ')), expected, line)
})

void t.test('what is not, and how that is told', async (t) => {
  const cases: [string[], string][] = [
    [[], 'a command is missing: one of run, graph, bench (see "bulkhead --help")'],
    [['rum'], 'unknown command "rum": it is one of run, graph, bench (see "bulkhead --help")'],
    [['--nope'], 'unknown option --nope (see "bulkhead --help")'],
    [['run'], 'the module is missing: bulkhead run <module> (see "bulkhead run --help")'],
    [
      ['bench', '--runs', '3'],
      'the module is missing: bulkhead bench <module> (see "bulkhead bench --help")',
    ],
    [
      ['run', 'a', '--nope'],
      `unknown option --nope (see "bulkhead run --help"; options of the module's own go after "--")`,
    ],
    [
      ['run', 'a', '--no-start'],
      `unknown option --no-start (see "bulkhead run --help"; options of the module's own go after "--")`,
    ],
    [
      ['run', 'a', '--toString'],
      `unknown option --toString (see "bulkhead run --help"; options of the module's own go after "--")`,
    ],
    [['run', 'a', '--report'], '--report needs a value'],
    [['run', 'a', '--report', '--inline'], '--report needs a value'],
    [['run', 'a', '--report='], '--report needs a value'],
    [['run', 'a', '--inline=yes'], '--inline takes no value'],
    [['run', 'a', '--report', 'xml'], '--report is one of text, json, svg, none, not "xml"'],
    [['run', 'a', '--report', 'svg'], '--report svg needs a file to go to: --out <file>'],
    [['run', 'a', '--report', 'svg', '--out'], '--out needs a value'],
    [['run', 'a', '--report=none', '--out=x'], '--out needs a report to write: --report text, json or svg'],
    [['bench', 'a', '--compare'], '--compare needs a value'],
    [
      ['bench', 'a', '--fail-over', '12'],
      '--fail-over is a duration with a unit, such as 500ms or 25s, not "12"',
    ],
    [
      ['run', 'a', '--log-level', 'loud'],
      '--log-level is one of trace, debug, info, warn, error, fatal, silent, not "loud"',
    ],
    [
      ['run', 'a', '--stop-timeout', '5'],
      '--stop-timeout is a duration with a unit, such as 500ms or 25s, not "5"',
    ],
    [['graph', 'a', '--format', 'pdf'], '--format is one of tree, mermaid, dot, not "pdf"'],
    ...['x', '0', '-1', '1.5', '1e3', '99999999999999999999'].map((value): [string[], string] => [
      ['bench', 'a', `--runs=${value}`],
      `--runs is a whole number from 1 on, not "${value}"`,
    ]),
  ]
  for (const [argv, message] of cases) {
    t.throws(() => parseCommand(argv), new UsageError(message), argv.join(' '))
    t.notMatch(message, '\n')
  }
})
