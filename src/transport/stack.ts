import type * as inspector from 'node:inspector'
import { SourceMap, type SourceMapping, findSourceMap } from 'node:module'
import { type Clock, systemClock } from '../base/clock.ts'
import { importModule } from '../base/import-module.ts'

/** How long the inspector may take, in ms. A blocked thread answers in some 25. */
const INSPECTOR_TIMEOUT_MS = 2000

interface CallFrame {
  readonly functionName: string
  readonly location: {
    readonly scriptId: string
    readonly lineNumber: number
    readonly columnNumber?: number
  }
}

interface Script {
  readonly url: string
  readonly sourceMapURL?: string
}

interface DebuggerMessage {
  readonly method?: string
  readonly params?: Script & { readonly callFrames: CallFrame[]; readonly scriptId: string }
}

let lastCapture: Promise<unknown> = Promise.resolve()

/**
 * The JavaScript stack that a child thread of this one is in, also when it is stuck in a loop; undefined when it cannot
 * be had: a debugger is at work, or the thread is in native code. The thread goes on afterwards.
 */
export function captureStack(threadId: number, clock: Clock = systemClock): Promise<string | undefined> {
  // One at a time: each enables the worker domain for this whole thread, and its end disables it.
  const capture = lastCapture.then(() => readStack(threadId, clock))
  lastCapture = capture
  return capture
}

/** The same, but waited for only so long, in ms. */
export async function stackWithin(threadId: number, ms: number, clock: Clock): Promise<string | undefined> {
  let cancel: (() => void) | undefined
  const late = new Promise<undefined>((resolve) => (cancel = clock.after(ms, () => resolve(undefined))))
  try {
    return await Promise.race([captureStack(threadId, clock), late])
  } finally {
    cancel?.()
  }
}

async function readStack(threadId: number, clock: Clock): Promise<string | undefined> {
  const { Session, url } = (await importModule('node:inspector')) as typeof inspector
  if (url() !== undefined) return undefined
  const session = new Session()
  const scripts = new Map<string, Script>()
  try {
    session.connect()
    return await new Promise<string | undefined>((resolve, reject) => {
      const cancel = clock.after(INSPECTOR_TIMEOUT_MS, () => resolve(undefined), { unref: true })
      session.on('NodeWorker.attachedToWorker', ({ params }) => {
        // Every thread of the process is announced here; only this one may be paused, or the process would freeze.
        if (!params.workerInfo.title.includes(`[worker ${threadId}]`)) return
        tell(session, params.sessionId, 'Debugger.enable')
        tell(session, params.sessionId, 'Debugger.pause')
      })
      session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
        const { method, params: told } = JSON.parse(params.message) as DebuggerMessage
        // Told of every script before the pause; the frames name them by number alone.
        if (method === 'Debugger.scriptParsed' && told) scripts.set(told.scriptId, told)
        if (method !== 'Debugger.paused') return
        cancel()
        // A paused thread cannot even be terminated: it must run before anything else happens.
        tell(session, params.sessionId, 'Debugger.resume')
        tell(session, params.sessionId, 'Debugger.disable')
        resolve(formatFrames(told?.callFrames ?? [], scripts))
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

function tell(session: inspector.Session, sessionId: string, method: string): void {
  session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: 1, method }) })
}

function formatFrames(frames: readonly CallFrame[], scripts: ReadonlyMap<string, Script>): string {
  const lines: string[] = []
  for (const { functionName, location } of frames) {
    const script = scripts.get(location.scriptId)
    const url = script?.url ?? ''
    // Node's own frames say nothing about who blocks.
    if (url.startsWith('node:')) continue
    const place = originalPlace(script ?? { url }, location.lineNumber, location.columnNumber ?? 0)
    lines.push(functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`)
  }
  return lines.join('\n')
}

const INLINE_MAP = /^data:application\/json[^,]*;base64,/

/** In the TypeScript source where its map is known here or comes with the code. Lines and columns come in from 0. */
function originalPlace({ url, sourceMapURL = '' }: Script, line: number, column: number): string {
  const map = (url === '' ? undefined : findSourceMap(url)) ?? inlineMap(sourceMapURL)
  const found: Partial<SourceMapping> = map?.findEntry(line, column) ?? {}
  const { originalSource, originalLine = 0, originalColumn = 0 } = found
  if (originalSource !== undefined) {
    const source = URL.canParse(originalSource, url) ? new URL(originalSource, url).href : originalSource
    return `${source}:${originalLine + 1}:${originalColumn + 1}`
  }
  return `${url || 'evaluated code'}:${line + 1}:${column + 1}`
}

/** As loaders such as tsx append it to what they have made of a module: this thread need not have loaded that. */
function inlineMap(sourceMapURL: string): SourceMap | undefined {
  if (!INLINE_MAP.test(sourceMapURL)) return undefined
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(sourceMapURL.replace(INLINE_MAP, ''), 'base64').toString(),
    )
    return new SourceMap(payload as ConstructorParameters<typeof SourceMap>[0])
  } catch {
    return undefined
  }
}
