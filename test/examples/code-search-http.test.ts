import { once } from 'node:events'
import { Server, createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import t, { type Test } from 'tap'
import { HttpApi } from '../../examples/code-search/http-api.ts'
import type { Indexer } from '../../examples/code-search/indexer.ts'
import { BulkheadError, type Isolated } from '../../src/index.ts'
import { Gate } from '../support/gate.ts'
import { settled } from '../support/probe.ts'

type Search = (query: string, limit: number) => Promise<unknown>

/** An HttpApi on a free port, and how to ask it; the index behind it is `search` alone. */
async function serve(t: Test, search: Search = async (query, limit) => ({ query, limit, hits: [] })) {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const handle = { with: () => ({ search, stats: async () => ({ done: false }) }) }
  const api = new HttpApi({ port, indexer: handle as unknown as Isolated<Indexer> })
  await api.start()
  t.teardown(() => api.stop())
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    const type = response.headers.get('content-type') ?? ''
    const body: unknown = type.startsWith('application/json') ? await response.json() : await response.text()
    return { status: response.status, type, body }
  }
  return { api, port, ask }
}

void t.test('each page answers, and says in one line what is wrong with a request', async (t) => {
  const { ask } = await serve(t)
  t.match(await ask('/search?q=a+b&limit=3'), { status: 200, body: { query: 'a b', limit: 3 } })
  t.match(await ask('/search?q=x'), { status: 200, body: { limit: 20 } })
  t.match(await ask('/stats'), { status: 200, body: { done: false } })
  t.match(await ask('/'), { status: 200, type: 'text/html; charset=utf-8', body: '<!doctype html>' })
  for (const path of ['/search', '/search?q=', '/search?q=+%20']) {
    t.match(await ask(path), { status: 400, body: { error: /^the query is empty/ } }, path)
  }
  for (const limit of ['0', '101', '1.5', '-1', 'ten', '', '1e1']) {
    t.match(await ask(`/search?q=x&limit=${limit}`), { status: 400, body: { error: /^limit is/ } }, limit)
  }
  for (const path of ['/nope', '//', '/search/']) t.match(await ask(path), { status: 404 }, path)
  t.match(await ask('/search?q=x', { method: 'POST' }), { status: 405, body: { error: /POST/ } })
})

void t.test('an index that is down gives 503, an error in it 500 without its text', async (t) => {
  const errors = [new BulkheadError('ERR_NOT_RUNNING', 'Indexer is crashed'), new TypeError('secret')]
  const { ask } = await serve(t, async () => {
    throw errors.shift() ?? new Error('asked too often')
  })
  t.match(await ask('/search?q=x'), { status: 503, body: { error: /Indexer is crashed$/ } })
  t.same((await ask('/search?q=x')).body, { error: 'something went wrong' })
})

void t.test(
  'a stop waits for answers in progress, but for no silent connection; it can start again',
  async (t) => {
    // With its time-out the server would let go of a silent connection by itself, if late.
    const { setTimeout } = Server.prototype
    Server.prototype.setTimeout = function () {
      return this
    }
    t.teardown(() => (Server.prototype.setTimeout = setTimeout))
    const gate = new Gate()
    const { api, port, ask } = await serve(t, async () => {
      await gate.pass()
      return { hits: [] }
    })
    const silent = connect(port, '127.0.0.1')
    silent.on('error', () => {})
    const closed = once(silent, 'close')
    await once(silent, 'connect')
    const answer = ask('/search?q=x')
    await gate.reached
    const stopping = api.stop()
    t.notOk(await settled(stopping))
    t.equal(silent.readyState, 'open')
    gate.open()
    t.match(await answer, { status: 200, body: { hits: [] } })
    await Promise.all([stopping, closed])
    t.equal(silent.bytesRead, 0, 'no status 408')
    await t.rejects(ask('/stats'))
    await api.start()
    t.match(await ask('/stats'), { status: 200 })
  },
)

void t.test('a port in use', async (t) => {
  const { port } = await serve(t)
  const second = new HttpApi({ port, indexer: undefined as unknown as Isolated<Indexer> })
  await t.rejects(second.start(), { message: `port ${port} is in use: set PORT to a free one` })
  t.equal(second.state, 'crashed')
})
