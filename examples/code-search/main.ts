import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isolate, type ServiceLike } from '../../src/index.ts'
import { HttpApi } from './http-api.ts'
import { Indexer } from './indexer.ts'
import { Progress } from './progress.ts'

const nodeModules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** `bulkhead run examples/code-search/main.ts [folder]`; PORT and SEARCH_FOLDER say the same by environment. */
export default function codeSearch(args: string[] = []): ServiceLike[] {
  const folder = resolve(args[0] ?? process.env.SEARCH_FOLDER ?? nodeModules)
  const port = Number(process.env.PORT ?? 3000)

  const indexer = isolate(Indexer, { args: [folder] })
  return [indexer, new HttpApi({ port, indexer }), new Progress(indexer)]
}
