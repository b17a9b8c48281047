import { parseArgs } from 'node:util'
import { parseDuration } from '../base/duration.ts'
import { LEVELS } from '../logging/levels.ts'

export const COMMANDS = ['run', 'graph', 'bench'] as const
export type CommandName = (typeof COMMANDS)[number]

export const REPORTS = ['text', 'json', 'svg', 'none'] as const
export const FORMATS = ['tree', 'mermaid', 'dot'] as const

/** What all commands need of the user's module. */
export interface ModuleOptions {
  /** As given on the command line. */
  readonly module: string
  /** What a function that the module exports is called with. */
  readonly args: readonly string[]
  readonly inline: boolean
}
export interface RunCommand extends ModuleOptions {
  readonly name: 'run'
  readonly logLevel: string | undefined
  readonly stopTimeout: string | undefined
  readonly report: (typeof REPORTS)[number]
  /** A file for the report instead of a stream. */
  readonly out: string | undefined
}
export interface GraphCommand extends ModuleOptions {
  readonly name: 'graph'
  readonly format: (typeof FORMATS)[number]
  readonly start: boolean
}
export interface BenchCommand extends ModuleOptions {
  readonly name: 'bench'
  readonly runs: number
  readonly json: boolean
  /** A file with an earlier result. */
  readonly compare: string | undefined
  readonly failOver: string | undefined
}
/** One run of a bench, in a process of its own. Not for users. */
export interface BenchRunCommand extends ModuleOptions {
  readonly name: 'bench-run'
}
export type Command =
  | RunCommand
  | GraphCommand
  | BenchCommand
  | BenchRunCommand
  | { readonly name: 'help'; readonly topic: CommandName | undefined }
  | { readonly name: 'version' }

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'UsageError' })
  }
}

/** A file that the command line names cannot be used: exit code 1. */
export class FileError extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'FileError' })
  }
}

type OptionTypes = Readonly<Record<string, 'boolean' | 'string'>>

const COMMON: OptionTypes = { help: 'boolean', version: 'boolean' }
const OPTIONS: Readonly<Record<CommandName | 'bench-run', OptionTypes>> = {
  run: {
    inline: 'boolean',
    'log-level': 'string',
    'stop-timeout': 'string',
    report: 'string',
    out: 'string',
  },
  graph: { inline: 'boolean', format: 'string', 'no-start': 'boolean' },
  bench: {
    inline: 'boolean',
    runs: 'string',
    json: 'boolean',
    compare: 'string',
    'fail-over': 'string',
  },
  'bench-run': { inline: 'boolean' },
}

/** @throws UsageError, with one line on what is wrong */
export function parseCommand(argv: readonly string[]): Command {
  const [name, ...rest] = argv
  if (name === undefined || name.startsWith('-')) return parseTop(argv)
  if (!isCommand(name)) {
    throw new UsageError(
      `unknown command "${name}": it is one of ${COMMANDS.join(', ')} (see "bulkhead --help")`,
    )
  }
  const { values, positionals } = read(rest, OPTIONS[name], name)
  if (values.has('help')) return { name: 'help', topic: name === 'bench-run' ? undefined : name }
  if (values.has('version')) return { name: 'version' }
  const [module, ...args] = positionals
  if (module === undefined || module === '') {
    throw new UsageError(`the module is missing: bulkhead ${name} <module> (see "bulkhead ${name} --help")`)
  }
  const common = { module, args, inline: values.has('inline') }
  if (name === 'bench-run') return { name, ...common }
  if (name === 'graph') {
    return { name, ...common, format: oneOf(FORMATS, values, 'format'), start: !values.has('no-start') }
  }
  if (name === 'bench') {
    const json = values.has('json')
    const failOver = durationOf(values, 'fail-over')
    return { name, ...common, runs: runsOf(values), json, compare: values.get('compare'), failOver }
  }
  return {
    name,
    ...common,
    logLevel: levelOf(values),
    stopTimeout: durationOf(values, 'stop-timeout'),
    ...reportOf(values),
  }
}

function parseTop(argv: readonly string[]): Command {
  const { values } = read(argv, {}, undefined)
  if (values.has('help')) return { name: 'help', topic: undefined }
  if (values.has('version')) return { name: 'version' }
  throw new UsageError(`a command is missing: one of ${COMMANDS.join(', ')} (see "bulkhead --help")`)
}

type Values = ReadonlyMap<string, string>

function read(
  argv: readonly string[],
  own: OptionTypes,
  command: string | undefined,
): { values: Values; positionals: string[] } {
  const types = { ...COMMON, ...own }
  const { tokens } = parseArgs({
    args: [...argv],
    options: {
      ...Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }])),
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
    // The messages of the strict mode span several sentences.
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values = new Map<string, string>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const type = Object.hasOwn(types, token.name) ? types[token.name] : undefined
    if (type === undefined) throw unknownOption(token.rawName, command)
    if (type === 'string') {
      const { value = '' } = token
      if (value === '' || (!token.inlineValue && value.startsWith('-'))) {
        throw new UsageError(`${token.rawName} needs a value`)
      }
      values.set(token.name, value)
    } else {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`)
      values.set(token.name, '')
    }
  }
  return { values, positionals }
}

function unknownOption(option: string, command: string | undefined): UsageError {
  if (command === undefined) return new UsageError(`unknown option ${option} (see "bulkhead --help")`)
  return new UsageError(
    `unknown option ${option} (see "bulkhead ${command} --help"; options of the module's own go after "--")`,
  )
}

function isCommand(name: string): name is CommandName | 'bench-run' {
  return Object.hasOwn(OPTIONS, name)
}

/** The first one is the default. */
function oneOf<const T extends readonly string[]>(choices: T, values: Values, option: string): T[number] {
  const value = values.get(option)
  if (value === undefined) return choices[0]!
  if (!choices.includes(value))
    throw new UsageError(`--${option} is one of ${choices.join(', ')}, not "${value}"`)
  return value
}

function levelOf(values: Values): string | undefined {
  return values.has('log-level') ? oneOf(LEVELS, values, 'log-level') : undefined
}

function durationOf(values: Values, option: string): string | undefined {
  const duration = values.get(option)
  if (duration === undefined || parseDuration(duration) !== undefined) return duration
  throw new UsageError(`--${option} is a duration with a unit, such as 500ms or 25s, not "${duration}"`)
}

function reportOf(values: Values): Pick<RunCommand, 'report' | 'out'> {
  const report = oneOf(REPORTS, values, 'report')
  const out = values.get('out')
  if (report === 'svg' && out === undefined)
    throw new UsageError('--report svg needs a file to go to: --out <file>')
  if (report === 'none' && out !== undefined)
    throw new UsageError('--out needs a report to write: --report text, json or svg')
  return { report, out }
}

function runsOf(values: Values): number {
  const text = values.get('runs') ?? '10'
  const runs = Number(text)
  if (/^\d+$/.test(text) && runs >= 1 && Number.isSafeInteger(runs)) return runs
  throw new UsageError(`--runs is a whole number from 1 on, not "${text}"`)
}
