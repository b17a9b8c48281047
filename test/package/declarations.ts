import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** A declaration, as tsc writes it: it begins and ends at the left margin. */
interface Declaration {
  readonly text: string
  /** Whether its module lets others name it: else it is a part of those that use it, and is looked through. */
  readonly isExported: boolean
}

interface Module {
  readonly declarations: ReadonlyMap<string, Declaration>
  /** Names from elsewhere: the file, and the name there. */
  readonly imports: ReadonlyMap<string, { readonly file: string; readonly name: string }>
  /** Names that it passes on. */
  readonly passedOn: ReadonlyMap<string, { readonly file: string; readonly name: string }>
}

const BEGIN = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|function|enum) (\w+)/
const FROM = /^(import|export) (?:type )?\{([^}]*)\} from ['"](\.[^'"]+)['"]/

function parse(file: string): Module {
  const text = readFileSync(file, 'utf8')
    .replaceAll(/\/\*\*?[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
  const declarations = new Map<string, Declaration>()
  const imports = new Map<string, { file: string; name: string }>()
  const passedOn = new Map<string, { file: string; name: string }>()
  for (const statement of text.split(/\n(?=(?:export|import|declare|interface|type|class|abstract) )/)) {
    const [, keyword, names = '', from = ''] = FROM.exec(statement.trim().replaceAll('\n', ' ')) ?? []
    if (keyword) {
      const other = resolve(dirname(file), from.replace(/\.[jt]s$/, '.d.ts'))
      for (const each of names.split(',')) {
        const [name = '', alias = name] = each
          .trim()
          .replace(/^type /, '')
          .split(' as ')
        if (name !== '') (keyword === 'import' ? imports : passedOn).set(alias, { file: other, name })
      }
      continue
    }
    const name = BEGIN.exec(statement.trim())?.[1]
    if (name === undefined) continue
    // Overloads of a function are declarations of their own.
    declarations.set(name, {
      text: `${declarations.get(name)?.text ?? ''}\n${statement}`,
      isExported:
        statement.trim().startsWith('export ') && !statement.trim().startsWith('export declare const '),
    })
  }
  return { declarations, imports, passedOn }
}

/**
 * The types that signatures name which can be reached from what `entry` exports, and that it does not export itself: who
 * uses one of those cannot write its name.
 */
export function unexportedTypes(entry: string): string[] {
  const modules = new Map<string, Module>()
  const moduleOf = (file: string): Module => {
    if (!modules.has(file)) modules.set(file, parse(file))
    return modules.get(file)!
  }
  /** Where a name is declared that a file has. */
  const find = (file: string, name: string): { file: string; name: string } | undefined => {
    if (!existsSync(file)) return undefined
    const { declarations, imports, passedOn } = moduleOf(file)
    if (declarations.has(name)) return { file, name }
    const from = imports.get(name) ?? passedOn.get(name)
    return from && find(from.file, from.name)
  }
  const exported = new Set<string>()
  const open: { file: string; name: string }[] = []
  for (const [name, from] of moduleOf(entry).passedOn) {
    const found = find(from.file, from.name)
    if (!found) throw new Error(`${name} is exported, and declared nowhere`)
    exported.add(`${found.file} ${found.name}`)
    open.push(found)
  }
  const seen = new Set(exported)
  const missing = new Set<string>()
  for (let at = open.pop(); at; at = open.pop()) {
    const { text } = moduleOf(at.file).declarations.get(at.name)!
    for (const [name] of text.replaceAll(/(["'`]).*?\1/g, '').matchAll(/\b[A-Z]\w*\b/g)) {
      const found = name === at.name ? undefined : find(at.file, name)
      if (!found) continue
      const key = `${found.file} ${found.name}`
      const { isExported } = moduleOf(found.file).declarations.get(found.name)!
      if (isExported && !exported.has(key)) missing.add(`${found.name} (named by ${at.name})`)
      if (seen.has(key)) continue
      seen.add(key)
      open.push(found)
    }
  }
  return [...missing].toSorted()
}
