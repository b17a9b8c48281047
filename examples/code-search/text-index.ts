import MiniSearch from 'minisearch'
import { terms } from './tokenize.ts'

/** Whether the beginning of a word is enough to find it. */
export function findsPrefix(term: string): boolean {
  return term.length > 2
}

/** What a query looks for: the terms of each of its words. */
export function parseQuery(query: string): string[][] {
  const words = query.match(/[\p{L}\p{M}\p{N}_]+/gu) ?? []
  return words
    .slice(0, 20)
    .map(terms)
    .filter((found) => found.length > 0)
}

/** Knows which file holds which terms, one document a file. It does not keep the text. */
export class TextIndex {
  readonly #index = new MiniSearch<{ path: string; text: string }>({
    idField: 'path',
    fields: ['text'],
    tokenize: terms,
    processTerm: (term) => term,
    searchOptions: { tokenize: (term) => [term], prefix: findsPrefix },
    // Clears out what removed files leave behind in few steps: a stop does not wait for it.
    autoVacuum: { batchSize: 10_000, batchWait: 1 },
  })

  get size(): number {
    return this.#index.documentCount
  }

  add(path: string, text: string): void {
    this.#index.add({ path, text })
  }

  remove(path: string): void {
    if (this.#index.has(path)) this.#index.discard(path)
  }

  /** Best first. Each word must be in the file, as typed or in all its parts: `readFile` finds `read_file` too. */
  search(words: string[][]): { path: string; score: number }[] {
    const queries = words.map(([word = '', ...parts]) => ({
      combineWith: 'OR' as const,
      queries: [word, { combineWith: 'AND' as const, queries: parts, prefix: false }],
    }))
    const found = this.#index.search({ combineWith: 'AND', queries })
    return found.map(({ id, score }) => ({ path: String(id), score }))
  }
}
