import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { finished } from 'node:stream/promises'
import { type Isolated, isBulkheadError, Service } from '../../src/index.ts'
import type { Indexer } from './indexer.ts'

type Answer = [status: number, body: object | string]

/** Serves the index: `GET /search?q=…&limit=…` and `GET /stats` as JSON, `GET /` as a page to search from. */
export class HttpApi extends Service {
  readonly #port: number
  readonly #indexer: Isolated<Indexer>
  readonly #server = createServer((request, response) => {
    // As a future of this service, an answer in progress is waited for by stop().
    void this.addFuture(() => this.#answer(request, response), `GET ${request.url}`)
  })
  #page = ''

  constructor({ port, indexer }: { port: number; indexer: Isolated<Indexer> }) {
    super()
    this.#port = port
    this.#indexer = indexer
    // A client that stops reading its answer must not hold up a stop.
    this.#server.setTimeout(10_000)
  }

  protected override async onStart(): Promise<void> {
    this.#page = await readFile(new URL('page.html', import.meta.url), 'utf8')
    try {
      await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      throw new Error(`port ${this.#port} is in use: set PORT to a free one`, { cause: error })
    }
    this.log.info('search at http://127.0.0.1:%d', (this.#server.address() as AddressInfo).port)
  }

  protected override async onStop(): Promise<void> {
    this.#server.close()
  }

  // By now all answers are out. Browsers also keep connections on which they never asked for anything.
  protected override async onShutdown(): Promise<void> {
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, body] = await this.#route(request).catch((error: unknown): Answer => {
      if (isBulkheadError(error)) return [503, { error: `the index does not answer: ${error.message}` }]
      this.log.exception(error, 'could not answer %s', request.url)
      return [500, { error: 'something went wrong' }]
    })
    const type = typeof body === 'string' ? 'text/html' : 'application/json'
    if (status === 405) response.setHeader('allow', 'GET')
    response.writeHead(status, { 'content-type': `${type}; charset=utf-8` })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
    // The client may be gone.
    await finished(response).catch(() => {})
  }

  async #route({ method, url = '/' }: IncomingMessage): Promise<Answer> {
    const [path, parameters] = url.split('?', 2)
    if (path !== '/' && path !== '/search' && path !== '/stats') {
      return [404, { error: `there is no ${path}, only /, /search and /stats` }]
    }
    if (method !== 'GET') return [405, { error: `${method} is not supported, only GET is` }]
    if (path === '/') return [200, this.#page]

    const indexer = this.#indexer.with({ timeout: '5s' })
    if (path === '/stats') return [200, await indexer.stats()]

    const { q = '', limit = '20' } = Object.fromEntries(new URLSearchParams(parameters))
    if (!q.trim()) return [400, { error: 'the query is empty: ask for /search?q=words' }]
    if (!/^([1-9]\d?|100)$/.test(limit)) {
      return [400, { error: `limit is a whole number from 1 to 100, not '${limit}'` }]
    }
    return [200, await indexer.search(q, Number(limit))]
  }
}
