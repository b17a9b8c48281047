// A thread that watches the main one: when its event loop stands still, says so on stderr, with the stack it is in.
// It writes by itself, because the thread that would write a log line is the one that is blocked.
import { writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { SourceMap } from 'node:module'
import { workerData } from 'node:worker_threads'

const { counter, every, limit } = workerData
// Counted up by the main thread, which alone can tell of an open inspector, too.
const shared = new Int32Array(counter)
const COUNT = 0
const INSPECTED = 1
const STDERR = 2

let last = Atomics.load(shared, COUNT)
let lookedAt = performance.now()
let silentFor = 0
let told = false

setInterval(() => {
  const now = performance.now()
  const current = Atomics.load(shared, COUNT)
  if (current !== last) {
    last = current
    silentFor = 0
    told = false
    // A look that comes late saw nothing: the whole process may have been suspended.
  } else silentFor += Math.min(now - lookedAt, every * 2)
  lookedAt = now
  // A debugger that holds the main thread is no block.
  if (silentFor < limit || told || Atomics.load(shared, INSPECTED) === 1) return
  told = true
  tell(Math.round(silentFor))
}, every)

/** @param {number} ms */
function tell(ms) {
  const session = new Session()
  const scripts = new Map()
  session.connectToMainThread()
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params))
  session.on('Debugger.paused', ({ params }) => {
    const frames = params.callFrames
      .map(({ functionName, location }) => ({
        functionName,
        location,
        url: scripts.get(location.scriptId)?.url ?? '',
      }))
      .filter((frame) => !frame.url.startsWith('node:'))
      .map(({ functionName, location, url }) => {
        const place = placeOf(url, scripts.get(location.scriptId)?.sourceMapURL ?? '', location)
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

const INLINE_MAP = /^data:application\/json[^,]*;base64,/

/**
 * In the TypeScript source, where the loader has left its map in the code.
 * @param {string} url
 * @param {string} sourceMapURL
 * @param {{ lineNumber: number, columnNumber?: number }} location
 */
function placeOf(url, sourceMapURL, { lineNumber, columnNumber = 0 }) {
  try {
    if (INLINE_MAP.test(sourceMapURL)) {
      const map = Buffer.from(sourceMapURL.replace(INLINE_MAP, ''), 'base64').toString()
      const found = new SourceMap(JSON.parse(map)).findEntry(lineNumber, columnNumber)
      if ('originalSource' in found) {
        const { href } = new URL(found.originalSource, url)
        return `${href}:${found.originalLine + 1}:${found.originalColumn + 1}`
      }
    }
  } catch {
    // A map that cannot be read: the place in what was run.
  }
  return `${url}:${lineNumber + 1}:${columnNumber + 1}`
}
