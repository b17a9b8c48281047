import { writeSync } from 'node:fs'
import { systemClock } from '../base/clock.ts'

/** How long a process may take to end by itself once its Host is down. */
const PATIENCE_MS = 1000

/**
 * For when the Host is down: ends the process if something still holds it in a second, and says what on stderr. The
 * exit code stays.
 */
export function endSoon(): void {
  // One Ctrl-C may arrive twice, and a fast stop is over by then: the repeat must not change how the process ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  // It must not be what holds the process.
  systemClock.after(PATIENCE_MS, endHeld, { unref: true })
}

function endHeld(): void {
  const held = describeHeld()
  const what = held.length > 0 ? held.join(', ') : 'something that has no name'
  process.stderr.write(
    `bulkhead: the process was still held 1 s after the stop, and was ended; by: ${what}\n`,
  )
  process.exit()
}

/**
 * Writes `text` when the process ends, after the lines of the log: pino writes those a little later than they are
 * logged, and has a listener for the end that comes before this one.
 */
export function writeLast(stream: 'stdout' | 'stderr', text: string): void {
  process.once('exit', () => {
    const fd = stream === 'stdout' ? 1 : 2
    let rest = Buffer.from(`${text}\n`)
    // A pipe takes so much at a time; nobody may be reading it at all.
    for (let tries = 0; rest.length > 0 && tries < 200; tries++) {
      try {
        rest = rest.subarray(writeSync(fd, rest))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      }
    }
  })
}

interface Handle {
  readonly constructor?: { readonly name?: string }
  readonly _handle?: { hasRef?(): boolean } | null
  hasRef?(): boolean
  address?(): unknown
  readonly listening?: boolean
  readonly remoteAddress?: string
  readonly remotePort?: number
  readonly spawnfile?: string
  readonly pid?: number
  readonly fd?: number
  readonly path?: string
}

/** Resources that show as handles, with more to tell than their type. */
const TOLD_BY_HANDLES = /^(TCP|Pipe|TTY|UDP|Process).*Wrap$/

/** What keeps the event loop going, in words. */
export function describeHeld(): string[] {
  // Not documented, but the only thing that knows addresses and process ids; without it the types have to do.
  const { _getActiveHandles } = process as { _getActiveHandles?: () => Handle[] }
  const handles = (_getActiveHandles?.call(process) ?? []).filter(isHolding).map(nameOf)
  const types = process.getActiveResourcesInfo()
  const others = _getActiveHandles ? types.filter((type) => !TOLD_BY_HANDLES.test(type)) : types
  return counted([...handles.filter((name) => name !== ''), ...others.map((type) => TYPES[type] ?? type)])
}

const TYPES: Readonly<Record<string, string>> = {
  Timeout: 'timer',
  Immediate: 'immediate',
  MessagePort: 'message port (of a worker thread or a channel)',
  FSEvent: 'file watcher',
  StatWatcher: 'file watcher',
}

function isHolding(handle: Handle): boolean {
  // These are open as long as the process is, and keep it only while somebody reads.
  if (handle === process.stdout || handle === process.stderr) return false
  return (handle.hasRef?.() ?? handle._handle?.hasRef?.()) !== false
}

/** Nothing for what the list of resources tells as well. */
function nameOf(handle: Handle): string {
  const kind = handle.constructor?.name ?? 'handle'
  if (kind === 'ChildProcess') return `child process ${handle.pid} (${handle.spawnfile})`
  if (handle.listening) return `server listening on ${addressOf(handle)}`
  if (handle.remoteAddress !== undefined) return `socket to ${handle.remoteAddress}:${handle.remotePort}`
  if (handle.fd === 0) return 'stdin'
  if (kind === 'Socket' || kind === 'ReadStream' || kind === 'WriteStream') return kind.toLowerCase()
  return ''
}

function addressOf(handle: Handle): string {
  const address = handle.address?.()
  if (typeof address === 'string') return address
  const { address: host, port } = (address ?? {}) as { address?: string; port?: number }
  return `${host?.includes(':') ? `[${host}]` : host}:${port}`
}

function counted(names: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Array.from(counts, ([name, count]) => (count > 1 ? `${count} × ${name}` : name))
}
