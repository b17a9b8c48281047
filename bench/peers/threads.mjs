// threads.js: what spawn() gives for an exposed object. Not its Pool, which is for tasks that any thread can take.
import { spawn, Thread, Worker } from 'threads'

export async function connect() {
  const worker = new Worker('./threads/threads.mjs')
  // It adds one for each call in flight, and Node would warn of them.
  worker.setMaxListeners(0)
  const remote = await spawn(worker)
  return { add: (a, b) => remote.add(a, b), close: () => Thread.terminate(remote) }
}
