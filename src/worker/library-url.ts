import { isTypeScript } from './module-url.ts'

/**
 * URL of a file of this library, for a thread to load: `module` is its path in `src`, without an extension. By way of
 * `..`, which holds in the one file that the library is built into as well.
 */
export function libraryUrl(module: string): string {
  return new URL(`../${module}${isTypeScript(import.meta.url) ? '.ts' : '.js'}`, import.meta.url).href
}
