export interface Token {
  readonly term: string
  readonly start: number
}

const WORD = /[\p{L}\p{M}\p{N}_]+/gu
const PLAIN = /^(?:\p{Ll}+|\p{N}+)$/u
const PART = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|[^\p{Lu}\p{Ll}\p{N}_]+/gu

/** `readUtf8_line` gives itself, then `read`, `utf` and `line`: in lower case, each with its place. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  for (const { 0: word, index } of text.matchAll(WORD)) {
    add(tokens, word, index)
    if (PLAIN.test(word)) continue
    for (const { 0: part, index: offset } of word.matchAll(PART)) {
      if (part.length < word.length) add(tokens, part, index + offset)
    }
  }
  return tokens
}

export function terms(text: string): string[] {
  return tokenize(text).map(({ term }) => term)
}

// One letter finds every file; what is longer than any name (hashes, encoded data) only fills the index.
function add(tokens: Token[], word: string, start: number): void {
  if (word.length > 1 && word.length <= 64) tokens.push({ term: word.toLowerCase(), start })
}
