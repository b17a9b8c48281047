import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fail } from '../errors/arguments.ts'

/** An absolute URL for what a caller gave: a URL, a file URL as text, or an absolute path. */
export function moduleUrl(module: string | URL): string {
  const text = String(module)
  if (/^[a-z][a-z+.-]+:/i.test(text)) return text
  if (isAbsolute(text)) return pathToFileURL(text).href
  return fail(
    `"${text}" does not say where the service module is: give a URL, such as new URL('./service.ts', import.meta.url)`,
  )
}

export function isTypeScript(url: string): boolean {
  return /\.[cm]?tsx?$/.test(new URL(url).pathname)
}
