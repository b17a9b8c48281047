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
 * and what one thread has compiled another can use, which Node offers for scripts, not for modules. All threads of a
 * process run the very source that its first one has read, whatever becomes of the file.
 */
export function evaluate(
  file: URL,
  builtins: Readonly<Record<string, object>>,
  hostImport: (specifier: string) => Promise<unknown>,
): object {
  const given = givenToThisThread()
  const source = given ? Buffer.from(given.source).toString('latin1') : readFileSync(file, 'latin1')
  const size = given ? Atomics.load(given.codeSize, 0) : 0
  const script = new Script(source, {
    filename: fileURLToPath(file),
    // V8 looks whether it fits, and compiles anew if it does not.
    ...(given && size > 0 ? { cachedData: Buffer.from(given.code, 0, size) } : {}),
  })
  let own: CompiledScript | undefined
  const shared = (): CompiledScript => given ?? (own ??= emptyFor(source))
  const compiling: Compiling = {
    shared,
    fill: given ? undefined : () => fill(shared(), script.createCachedData()),
  }
  const module = { exports: {} }
  const run = script.runInThisContext() as Evaluated
  run(module, (builtin) => builtins[builtin], file.href, hostImport, compiling)
  return module.exports
}

function givenToThisThread(): CompiledScript | undefined {
  // A thread of somebody else's may have any data.
  const compiled = (workerData as { bulkhead?: { compiled?: CompiledScript } } | null)?.bulkhead?.compiled
  return compiled?.source instanceof SharedArrayBuffer ? compiled : undefined
}

function emptyFor(source: string): CompiledScript {
  const bytes = new SharedArrayBuffer(source.length)
  new Uint8Array(bytes).set(Buffer.from(source, 'latin1'))
  return {
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
