import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bulkheadError } from '../errors/bulkhead-error.ts'
import { isTypeScript } from './module-url.ts'

/**
 * URL of tsx's loader for a thread that has TypeScript to load (the service module, or this library in its own
 * repository), looked up from the module first: it is the user's tool.
 * @throws `ERR_TSX_MISSING`
 */
export function tsxFor(module: string): string | undefined {
  const wanted = isTypeScript(module) ? module : isTypeScript(import.meta.url) ? import.meta.url : undefined
  if (wanted === undefined) return undefined
  for (const from of [wanted, import.meta.url, pathToFileURL(`${process.cwd()}/`).href]) {
    try {
      return esmApi(createRequire(from))
    } catch {
      // Not there; the next place may have it.
    }
  }
  throw bulkheadError('ERR_TSX_MISSING', { module: fileURLToPath(wanted) })
}

// Resolved by hand: require.resolve() finds the CommonJS twin, and import.meta.resolve() takes no other parent.
function esmApi(require: NodeJS.Require): string {
  const { exports } = require('tsx/package.json') as {
    exports: { './esm/api': { import: { default: string } } }
  }
  return new URL(exports['./esm/api'].import.default, pathToFileURL(require.resolve('tsx/package.json'))).href
}
