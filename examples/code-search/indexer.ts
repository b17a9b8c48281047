import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { Service } from '../../src/index.ts'
import { bestLine, type Line, readSource, type SkipReason } from './source.ts'
import { parseQuery, TextIndex } from './text-index.ts'
import { type FoundFile, walk } from './walk.ts'

export interface Hit extends Line {
  readonly path: string
  readonly score: number
}

export interface SearchAnswer {
  readonly query: string
  /** How many files match; the hits are the best of them. */
  readonly total: number
  readonly hits: Hit[]
  readonly progress: number
}

export type IndexStats = Awaited<ReturnType<Indexer['stats']>>

/** Keeps the index of a folder. It keeps a CPU busy too, so it is made to live in a thread of its own. */
export class Indexer extends Service {
  static override readonly module = import.meta.url

  readonly #folder: string
  readonly #index = new TextIndex()
  readonly #files = new Map<string, FoundFile & { skipped?: SkipReason }>()
  #found = 0
  #seconds = 0
  #done = false
  #sliceStart = 0

  constructor(folder: string) {
    super()
    this.#folder = folder
  }

  async search(query: string, limit: number): Promise<SearchAnswer> {
    const words = parseQuery(query)
    const found = this.#index.search(words)
    const hits = found.slice(0, limit).flatMap(({ path, score }): Hit[] => {
      const source = readSource(path)
      const line = 'text' in source && bestLine(source.text, words.flat())
      return line ? [{ path: relative(this.#folder, path), score: Number(score.toFixed(2)), ...line }] : []
    })
    return { query, total: found.length, hits, progress: this.#progress }
  }

  async stats() {
    const skipped = { binary: 0, unreadable: 0, tooLarge: 0 }
    let bytes = 0
    for (const file of this.#files.values()) {
      if (file.skipped) skipped[file.skipped]++
      else bytes += file.size
    }
    return {
      folder: this.#folder,
      files: this.#found,
      indexed: this.#index.size,
      skipped,
      bytes,
      seconds: this.#seconds,
      done: this.#done,
      progress: this.#progress,
    }
  }

  protected override async onStart(): Promise<void> {
    const folder = await stat(this.#folder).catch(() => undefined)
    if (!folder) throw new Error(`cannot search ${this.#folder}: there is no such folder`)
    if (!folder.isDirectory()) throw new Error(`cannot search ${this.#folder}: it is not a folder`)
  }

  @Service.task
  protected async indexAll(): Promise<void> {
    const start = performance.now()
    await this.#refresh()
    this.#seconds = (performance.now() - start) / 1000
    this.#done = !this.shouldStop
  }

  @Service.timer('5s')
  protected async pickUpChanges(): Promise<void> {
    if (this.#done) await this.#refresh()
  }

  async #refresh(): Promise<void> {
    const found = new Map<string, FoundFile>()
    for (const file of walk(this.#folder)) {
      if (await this.#shouldEnd()) return
      found.set(file.path, file)
    }
    this.#found = found.size
    for (const path of this.#files.keys()) if (!found.has(path)) this.#forget(path)
    for (const file of found.values()) {
      if (await this.#shouldEnd()) return
      this.#update(file)
    }
  }

  // The event loop gets a turn every 10 ms: that is when searches are answered and a stop is heard of.
  async #shouldEnd(): Promise<boolean> {
    if (performance.now() - this.#sliceStart > 10) {
      await this.sleep(0)
      this.#sliceStart = performance.now()
    }
    return this.shouldStop
  }

  #update(file: FoundFile): void {
    const known = this.#files.get(file.path)
    const isSame = known?.size === file.size && known.modified === file.modified
    if (isSame && known.skipped !== 'unreadable') return
    this.#forget(file.path)
    const source = readSource(file.path, file.size)
    if ('text' in source) this.#index.add(file.path, source.text)
    this.#files.set(file.path, 'text' in source ? file : { ...file, skipped: source.skipped })
  }

  #forget(path: string): void {
    this.#index.remove(path)
    this.#files.delete(path)
  }

  get #progress(): number {
    if (this.#done) return 1
    return this.#found && Math.floor((this.#files.size / this.#found) * 100) / 100
  }
}
