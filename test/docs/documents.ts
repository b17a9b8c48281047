import { readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Document {
  /** From the root of the repository, with `/`. */
  readonly path: string
  /** Of the file, without its extension. */
  readonly name: string
  readonly text: string
}

export const guides: readonly Document[] = readdirSync(join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .toSorted()
  .map((name) => read(`docs/${name}`))

export const readme: Document = read('README.md')

/** All whose code blocks run and whose links are looked up. */
export const documents: readonly Document[] = [readme, ...guides]

function read(path: string): Document {
  return { path, name: basename(path, '.md'), text: readFileSync(join(root, path), 'utf8') }
}
