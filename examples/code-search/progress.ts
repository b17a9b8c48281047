import { type Isolated, Service } from '../../src/index.ts'
import type { Indexer } from './indexer.ts'

/** Tells on the terminal how far the index is. */
export class Progress extends Service {
  readonly #indexer: Isolated<Indexer>
  #told = false

  constructor(indexer: Isolated<Indexer>) {
    super()
    this.#indexer = indexer
  }

  @Service.timer('2s')
  protected async report(): Promise<void> {
    // No answer: it crashed, and its supervisor sees to that.
    const stats = await this.#indexer.stats().catch(() => undefined)
    if (!stats || (stats.done && this.#told)) return
    this.#told = stats.done
    const { files, indexed, bytes, seconds, progress } = stats
    if (stats.done) {
      const summary = 'indexed %d files (%d MB) in %s s, skipped %d'
      this.log.info(summary, indexed, Math.round(bytes / 1e6), seconds.toFixed(1), files - indexed)
    } else {
      this.log.info('indexed %d of %d files (%d %%)', indexed, files, Math.floor(progress * 100))
    }
  }
}
