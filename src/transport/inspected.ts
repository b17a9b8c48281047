import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { type Heartbeat, isNotedAsInspected } from './heartbeat.ts'

let above: Heartbeat | undefined
let url: (() => string | undefined) | undefined

/** In a thread: the heartbeat by which it is watched, where the thread above notes what it knows. */
export function learnFrom(heartbeat: Heartbeat): void {
  above = heartbeat
}

/** Whether an inspector is open on this process: what stands still may have been paused by hand. */
export function isInspected(): boolean {
  // Asked in a thread, Node always says no: the one inspector of the process belongs to the main thread.
  if (!isMainThread) return above !== undefined && isNotedAsInspected(above)
  url ??= inspectorUrl()
  return url() !== undefined
}

function inspectorUrl(): () => string | undefined {
  try {
    return (createRequire(import.meta.url)('node:inspector') as { url: () => string | undefined }).url
  } catch {
    // A build of Node without an inspector.
    return () => undefined
  }
}
