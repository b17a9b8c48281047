// A thread that watches the main one: when its event loop stands still, says so on stderr, with the stack it is in.
// It writes by itself, because the thread that would write a log line is the one that is blocked.
import { writeSync } from 'node:fs'
import { Session, url } from 'node:inspector'
import { workerData } from 'node:worker_threads'

const { counter, every, limit } = workerData
const count = new Int32Array(counter)
const STDERR = 2

let last = Atomics.load(count, 0)
let lookedAt = performance.now()
let silentFor = 0
let told = false

setInterval(() => {
  const now = performance.now()
  const current = Atomics.load(count, 0)
  if (current !== last) {
    last = current
    silentFor = 0
    told = false
    // A look that comes late saw nothing: the whole process may have been suspended.
  } else silentFor += Math.min(now - lookedAt, every * 2)
  lookedAt = now
  // A debugger that holds the main thread is no block.
  if (silentFor < limit || told || url() !== undefined) return
  told = true
  tell(Math.round(silentFor))
}, every)

/** @param {number} ms */
function tell(ms) {
  const session = new Session()
  const urls = new Map()
  session.connectToMainThread()
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url))
  session.on('Debugger.paused', ({ params }) => {
    const frames = params.callFrames
      .map(({ functionName, location }) => ({
        functionName,
        location,
        url: urls.get(location.scriptId) ?? '',
      }))
      .filter((frame) => !frame.url.startsWith('node:'))
      .map(({ functionName, location, url }) => {
        const place = `${url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`
        return functionName ? `    at ${functionName} (${place})` : `    at ${place}`
      })
    session.post('Debugger.resume')
    session.disconnect()
    writeSync(
      STDERR,
      `bulkhead: the main thread has been blocked for ${ms} ms; it is in:\n${frames.join('\n')}\n`,
    )
  })
  session.post('Debugger.enable')
  session.post('Debugger.pause')
}
