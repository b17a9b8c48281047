import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { describe, isErrorLike, oneLine } from '../errors/describe.ts'
import { Host } from '../host/host.ts'
import { ManagedService } from '../service/managed.ts'
import { NODE } from '../service/node.ts'
import type { ServiceLike } from '../service/types.ts'
import type { ChildSpec } from '../supervisor/child.ts'
import type { ModuleOptions } from './args.ts'

/** The module of the user is at fault: exit code 1. The message may have more lines, for a stack. */
export class ModuleError extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'ModuleError' })
  }
}

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx'])
const WANTED =
  'a Service, a class of one, an array of services, a Host, or a function that returns one of these'

/**
 * The Host that a module exports, or one made of the services that it exports.
 * @throws ModuleError
 */
export async function loadHost({ module, args, inline }: ModuleOptions): Promise<Host> {
  if (inline) process.env.BULKHEAD_ISOLATION = 'inline'
  const file = fileOf(module)
  if (TYPESCRIPT.has(extname(file))) await registerTsx(module)
  // Should nothing be left to wait for, Node would end the process without a word.
  const stuck = (): void => {
    process.exitCode = 1
    process.stderr.write(
      `bulkhead: ${module} never finished loading: something that it awaits does not settle\n`,
    )
  }
  process.once('exit', stuck)
  try {
    const exported = await defaultExport(file, module)
    return await toHost(exported, args, module)
  } finally {
    process.off('exit', stuck)
  }
}

function fileOf(module: string): string {
  let file: string
  try {
    file = module.startsWith('file:') ? fileURLToPath(module) : resolve(module)
  } catch {
    throw new ModuleError(`${module} is not the address of a file`)
  }
  const stats = statSync(file, { throwIfNoEntry: false })
  if (!stats) throw new ModuleError(`there is no file ${module}`)
  return stats.isDirectory() ? mainOf(file, module) : file
}

function mainOf(folder: string, module: string): string {
  for (const name of MAIN_NAMES) {
    const file = join(folder, name)
    if (existsSync(file)) return file
  }
  throw new ModuleError(`${module} is a folder without a main or index file: name a file in it`)
}

const MAIN_NAMES = ['main', 'index'].flatMap((name) =>
  ['.ts', '.mts', '.js', '.mjs', '.cjs'].map((extension) => name + extension),
)

async function registerTsx(module: string): Promise<void> {
  for (const base of [pathToFileURL(resolve('package.json')), import.meta.url]) {
    let tsx: string
    try {
      tsx = createRequire(base).resolve('tsx')
    } catch {
      continue
    }
    // What `--import tsx` loads, which registers itself, once per process: for packages of both module types.
    await import(pathToFileURL(tsx).href)
    return
  }
  throw bulkheadError('ERR_TSX_MISSING', { module })
}

async function defaultExport(file: string, module: string): Promise<unknown> {
  let exports: { default?: unknown }
  try {
    exports = (await import(pathToFileURL(file).href)) as typeof exports
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code === 'ERR_MODULE_NOT_FOUND') {
      throw new ModuleError(`${module} could not be loaded: ${oneLineOf(describe(error))}`)
    }
    throw new ModuleError(`${module} could not be loaded:\n${stackOf(error)}`)
  }
  const { default: value } = exports
  // A handle takes any name for a remote method.
  if (isService(value)) return value
  // A CommonJS module that was compiled from an ES module.
  const inner = (value as { __esModule?: boolean; default?: unknown } | null | undefined)?.__esModule
  return inner ? (value as { default?: unknown }).default : value
}

async function toHost(exported: unknown, args: readonly string[], module: string): Promise<Host> {
  if (exported === undefined) throw new ModuleError(`${module} has no default export: export ${WANTED}`)
  let value: unknown = exported
  try {
    if (typeof value === 'function' && !isClass(value)) {
      value = await (value as (args: string[]) => unknown)([...args])
    }
    if (isClass(value)) value = new value()
  } catch (error) {
    throw new ModuleError(`the default export of ${module} failed:\n${stackOf(error)}`)
  }
  if (value instanceof Host) return value
  const services: unknown[] = Array.isArray(value) ? value : [value]
  const stranger = services.findIndex((service) => !isService(service) && !isSpec(service))
  if (stranger !== -1) {
    const what = Array.isArray(value) ? `element ${stranger} of the default export` : 'the default export'
    throw new ModuleError(`${what} of ${module} is ${kindOf(services[stranger])}: export ${WANTED}`)
  }
  if (services.some((service) => isForeign(service))) {
    throw new ModuleError(
      `${module} uses another copy of bulkhead than this command: run the one that is installed with it, and see that its package.json has "type": "module"`,
    )
  }
  try {
    return new Host(services as (ServiceLike | ChildSpec)[])
  } catch (error) {
    throw new ModuleError(`the services of ${module} cannot be hosted: ${oneLineOf(describe(error))}`)
  }
}

function isClass(value: unknown): value is new () => unknown {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

function isService(value: unknown): value is ServiceLike {
  return typeof value === 'object' && value !== null && (value as { [NODE]?: unknown })[NODE] !== undefined
}

/** Copies cannot be mixed, and one that is loaded as CommonJS is another one. */
function isForeign(given: unknown): boolean {
  return !((isService(given) ? given : (given as ChildSpec).service) instanceof ManagedService)
}

function isSpec(value: unknown): value is ChildSpec {
  return typeof value === 'object' && value !== null && isService((value as { service?: unknown }).service)
}

function kindOf(value: unknown): string {
  if (typeof value === 'function') return `a function (${value.name || 'anonymous'})`
  return typeof value === 'object' && value !== null ? oneLine(value) : inspect(value)
}

function stackOf(error: unknown): string {
  return isErrorLike(error) ? inspect(error) : describe(error)
}

export function oneLineOf(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
