/** A script, and what V8 has compiled of it: whoever has both need not compile it again. Shared by threads. */
export interface CompiledScript {
  readonly url: string
  readonly version: string
  /** Latin-1. */
  readonly source: SharedArrayBuffer
  readonly code: SharedArrayBuffer
  /** Of one element: how many bytes of `code` there are; 0 until it is filled. */
  readonly codeSize: Int32Array
}

/** What evaluate.ts gives to this library, where it is evaluated as a script. */
export interface Compiling {
  /** For the threads that this one spawns. */
  readonly shared: () => CompiledScript
  /** Adds all that V8 has compiled so far. Undefined in a thread that was given it: another sees to it. */
  readonly fill: (() => void) | undefined
}

declare const compiling: Compiling | undefined

/** Undefined where this library is loaded as modules. */
export const compiledLibrary: Compiling | undefined = typeof compiling === 'undefined' ? undefined : compiling
