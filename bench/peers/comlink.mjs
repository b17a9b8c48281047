// As Comlink's README has it for Node's workers: wrap() on one side, expose() on the other, through its adapter.
import { Worker } from 'node:worker_threads'
import * as Comlink from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'

export async function connect() {
  const worker = new Worker(new URL('./threads/comlink.mjs', import.meta.url))
  const remote = Comlink.wrap(nodeEndpoint(worker))
  return { add: (a, b) => remote.add(a, b), close: () => worker.terminate() }
}
