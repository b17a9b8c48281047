import type { Session } from 'node:inspector'
import { type SourceMapping, findSourceMap } from 'node:module'

/** How long the inspector may take, in ms. A blocked thread answers in some 25. */
const WITHIN = 2000

interface CallFrame {
  readonly functionName: string
  readonly location: {
    readonly scriptId: string
    readonly lineNumber: number
    readonly columnNumber?: number
  }
}

interface DebuggerMessage {
  readonly method?: string
  readonly params?: { readonly callFrames: CallFrame[]; readonly scriptId: string; readonly url: string }
}

let lastCapture: Promise<unknown> = Promise.resolve()

/**
 * The JavaScript stack that a child thread of this one is in, also when it is stuck in a loop; undefined when it cannot
 * be had: a debugger is at work, or the thread is in native code. The thread goes on afterwards.
 */
export function captureStack(threadId: number): Promise<string | undefined> {
  // One at a time: each enables the worker domain for this whole thread, and its end disables it.
  const capture = lastCapture.then(() => readStack(threadId))
  lastCapture = capture
  return capture
}

/** The same, but waited for only so long, in ms. */
export async function stackWithin(threadId: number, ms: number): Promise<string | undefined> {
  let giveUp: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => (giveUp = setTimeout(() => resolve(undefined), ms)))
  try {
    return await Promise.race([captureStack(threadId), late])
  } finally {
    clearTimeout(giveUp)
  }
}

async function readStack(threadId: number): Promise<string | undefined> {
  const { Session, url } = await import('node:inspector')
  if (url() !== undefined) return undefined
  const session = new Session()
  const urls = new Map<string, string>()
  try {
    session.connect()
    return await new Promise<string | undefined>((resolve, reject) => {
      const timer = setTimeout(() => resolve(undefined), WITHIN)
      timer.unref()
      session.on('NodeWorker.attachedToWorker', ({ params }) => {
        // Every thread of the process is announced here; only this one may be paused, or the process would freeze.
        if (!params.workerInfo.title.includes(`[worker ${threadId}]`)) return
        tell(session, params.sessionId, 'Debugger.enable')
        tell(session, params.sessionId, 'Debugger.pause')
      })
      session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
        const { method, params: told } = JSON.parse(params.message) as DebuggerMessage
        // Told of every script before the pause; the frames name them by number alone.
        if (method === 'Debugger.scriptParsed' && told) urls.set(told.scriptId, told.url)
        if (method !== 'Debugger.paused') return
        clearTimeout(timer)
        // A paused thread cannot even be terminated: it must run before anything else happens.
        tell(session, params.sessionId, 'Debugger.resume')
        tell(session, params.sessionId, 'Debugger.disable')
        resolve(formatFrames(told?.callFrames ?? [], urls))
      })
      session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) => {
        if (error) reject(error)
      })
    })
  } catch {
    // No inspector in this build of Node, or none for threads of threads: the stack is a help, not the news.
    return undefined
  } finally {
    session.disconnect()
  }
}

function tell(session: Session, sessionId: string, method: string): void {
  session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: 1, method }) })
}

function formatFrames(frames: readonly CallFrame[], urls: ReadonlyMap<string, string>): string {
  const lines: string[] = []
  for (const { functionName, location } of frames) {
    const url = urls.get(location.scriptId) ?? ''
    // Node's own frames say nothing about who blocks.
    if (url.startsWith('node:')) continue
    const place = originalPlace(url, location.lineNumber, location.columnNumber ?? 0)
    lines.push(functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`)
  }
  return lines.join('\n')
}

/** In the TypeScript source where this thread knows the module's source map. Lines and columns come in from 0. */
function originalPlace(url: string, line: number, column: number): string {
  const entry = url === '' ? undefined : findSourceMap(url)?.findEntry(line, column)
  const found: Partial<SourceMapping> | undefined = entry
  if (found?.originalSource !== undefined) {
    return `${found.originalSource}:${(found.originalLine ?? 0) + 1}:${(found.originalColumn ?? 0) + 1}`
  }
  return `${url || 'evaluated code'}:${line + 1}:${column + 1}`
}
