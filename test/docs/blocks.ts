/** A code block of a Markdown file. */
export interface Block {
  /** Of its opening fence, from 1. */
  readonly line: number
  /** `ts`, `sh`, `text`… */
  readonly language: string
  /** Words after the language: `file=hasher.ts` as a pair, `output` as a flag. */
  readonly attributes: ReadonlyMap<string, string>
  readonly text: string
}

/** One thing to run, and what it says. */
export interface Program {
  readonly line: number
  /** Where it lies: its own name, or one made of its line. */
  readonly file: string
  readonly text: string
  /** Arguments of `bulkhead`; undefined for a program of its own. */
  readonly command: readonly string[] | undefined
  /** Named blocks that came before it in its document, the latest of each name. */
  readonly others: ReadonlyMap<string, string>
  /** A text at which the program is told to stop, with SIGTERM. */
  readonly until: string | undefined
  /** What it prints on stdout, log lines left out; `…` in it stands for anything. */
  readonly output: string | undefined
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { line: number; info: string; lines: string[] } | undefined
  markdown.split('\n').forEach((text, index) => {
    const fence = /^```(.*)$/.exec(text)
    if (!fence) {
      open?.lines.push(text)
    } else if (open) {
      const [language = '', ...words] = open.info.trim().split(/\s+/)
      const attributes = new Map(words.map((word) => word.split('=', 2) as [string, string]))
      blocks.push({ line: open.line, language, attributes, text: `${open.lines.join('\n')}\n` })
      open = undefined
    } else {
      open = { line: index + 1, info: fence[1] ?? '', lines: [] }
    }
  })
  if (open) throw new Error(`The block at line ${open.line} has no end`)
  return blocks
}

/** Every `ts` block is a program, and so is every `sh` block that is one call of `npx bulkhead`. */
export function programsOf(blocks: readonly Block[]): Program[] {
  const programs: Program[] = []
  const named = new Map<string, string>()
  blocks.forEach((block, index) => {
    const { line, language, attributes, text } = block
    const cli = language === 'sh' ? /^npx bulkhead (.*)\n$/.exec(text)?.[1] : undefined
    if (language !== 'ts' && cli === undefined) return
    const next = blocks[index + 1]
    const file = attributes.get('file') ?? `line-${line}.ts`
    programs.push({
      line,
      file,
      text,
      command: cli?.split(' '),
      others: new Map(named),
      until: attributes.get('until'),
      output: next?.attributes.has('output') ? next.text : undefined,
    })
    if (attributes.has('file')) named.set(file, text)
  })
  return programs
}
