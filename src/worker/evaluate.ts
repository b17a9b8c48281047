import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { workerData } from 'node:worker_threads'
import type { CompiledScript, Compiling } from './compiled.ts'

/** What the script evaluates to; the names of its parameters are what it finds in its scope. */
type Evaluated = (
  module: { exports: object },
  require: (builtin: string) => object | undefined,
  scriptUrl: string,
  hostImport: (specifier: string) => Promise<unknown>,
  compiling: Compiling,
) => void

/**
 * Evaluates the published library, which is one script: most of what a thread took to load it went into compiling it,
 * and what one thread has compiled another can use, which Node offers for scripts, not for modules.
 */
export function evaluate(
  file: URL,
  /** What tells this script from that of any other version. */
  version: string,
  builtins: Readonly<Record<string, object>>,
  hostImport: (specifier: string) => Promise<unknown>,
): object {
  const given = givenToThisThread(file.href, version)
  const source = given ? Buffer.from(given.source).toString('latin1') : read(file)
  const size = given ? Atomics.load(given.codeSize, 0) : 0
  const script = new Script(source, {
    filename: fileURLToPath(file),
    // V8 looks whether it fits, and compiles anew if it does not.
    ...(given && size > 0 ? { cachedData: Buffer.from(given.code, 0, size) } : {}),
  })
  let own: CompiledScript | undefined
  const shared = (): CompiledScript => given ?? (own ??= emptyFor(source, { url: file.href, version }))
  const compiling: Compiling = {
    shared,
    fill: given ? undefined : () => fill(shared(), script.createCachedData()),
  }
  const module = { exports: {} }
  const run = inThisRealm(script, source)
  run(module, (builtin) => builtins[builtin], file.href, hostImport, compiling)
  return module.exports
}

function read(file: URL): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (cause) {
    const why = 'A bundler has to leave the package "bulkhead" external: threads load its files.'
    throw new Error(`Bulkhead: ${fileURLToPath(file)} cannot be read. ${why}`, { cause })
  }
}

/** In a context that a test runner has made, its Error is what users' errors are instances of. */
function inThisRealm(script: Script, source: string): Evaluated {
  const run: unknown = script.runInThisContext()
  // oxlint-disable-next-line no-eval, unicorn/no-instanceof-builtins -- of this realm is the question and the answer
  return (run instanceof Function ? run : (0, eval)(source)) as Evaluated
}

/** Undefined for another version, or another copy: a service may bring its own, and an upgrade may replace the files. */
function givenToThisThread(url: string, version: string): CompiledScript | undefined {
  // A thread of somebody else's may have any data.
  const compiled = (workerData as { bulkhead?: { compiled?: CompiledScript } } | null)?.bulkhead?.compiled
  return compiled?.url === url && compiled.version === version ? compiled : undefined
}

function emptyFor(source: string, identity: Pick<CompiledScript, 'url' | 'version'>): CompiledScript {
  const bytes = new SharedArrayBuffer(source.length)
  new Uint8Array(bytes).set(Buffer.from(source, 'latin1'))
  return {
    ...identity,
    source: bytes,
    // What V8 makes of a script takes about as much as its source.
    code: new SharedArrayBuffer(source.length * 2),
    codeSize: new Int32Array(new SharedArrayBuffer(4)),
  }
}

function fill({ code, codeSize }: CompiledScript, compiled: Uint8Array): void {
  if (compiled.length > code.byteLength) return
  new Uint8Array(code).set(compiled)
  // Last: a thread that sees it may read.
  Atomics.store(codeSize, 0, compiled.length)
}
