// threads.js: what spawn() gives for an exposed object. Not its Pool, which is for tasks that any thread can take.
import { spawn, Thread, Worker } from 'threads'

export async function connect() {
  const remote = await spawn(new Worker('./threads/threads.mjs'))
  return { add: (a, b) => remote.add(a, b), close: () => Thread.terminate(remote) }
}
