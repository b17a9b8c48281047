import { Worker } from 'node:worker_threads'
import { isInspected } from '../transport/inspected.ts'
import { beat, makeHeartbeat } from '../transport/heartbeat.ts'

/**
 * Has a thread of its own watch this thread's event loop (mode's BlockingDetector): when it has stood still for `limit`
 * milliseconds, that thread writes the stack that blocks to stderr. Returns what ends the watch.
 */
export function watchMainThread(limit: number): () => void {
  const heartbeat = makeHeartbeat({ warning: limit, timeout: Infinity })
  if (!heartbeat) return () => {}
  const stopBeating = beat(heartbeat, isInspected)
  const watcher = new Worker(new URL('../../workers/watchdog.js', import.meta.url), {
    name: 'bulkhead-watchdog',
    workerData: { ...heartbeat, limit },
    // None of this process's loaders: it loads nothing but Node's own modules.
    execArgv: [],
    stdin: false,
  })
  watcher.unref()
  // Without it there is no watch, and nothing else is lost.
  watcher.on('error', stopBeating)
  return () => {
    stopBeating()
    void watcher.terminate()
  }
}
