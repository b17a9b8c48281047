/**
 * Given where this library is evaluated as a script (see worker/evaluate.ts), in which the import() of the language is
 * not to be had on all versions of Node.
 */
declare const hostImport: ((specifier: string) => Promise<unknown>) | undefined

/** The one way to load a module on demand. */
export const importModule: (specifier: string) => Promise<unknown> =
  typeof hostImport === 'undefined' ? (specifier) => import(specifier) : hostImport
