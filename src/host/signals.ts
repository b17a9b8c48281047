import { createRequire } from 'node:module'
import type os from 'node:os'
import type { Clock } from '../base/clock.ts'
import { fail } from '../errors/arguments.ts'
import { oneLine } from '../errors/describe.ts'

/** Terminals and wrappers such as npm deliver one Ctrl-C twice: what comes this soon after the first is the same one. */
const SAME_SIGNAL_MS = 500

export interface ProcessListeners {
  /** Those that stop the Host. */
  readonly signals: readonly NodeJS.Signals[]
  readonly dumpSignal: NodeJS.Signals | false
  /** The first signal. */
  stop(signal: NodeJS.Signals): void
  /** A later one, meant as such: the process is to end now. All listeners are gone by then. */
  exitNow(signal: NodeJS.Signals): void
  dump(): void
  uncaught(error: unknown, origin: 'uncaughtException' | 'unhandledRejection'): void
}

/** Listens to the process until the returned function is called. */
export function listenToProcess(listeners: ProcessListeners, clock: Clock): () => void {
  const { signals, dumpSignal } = listeners
  let firstAt: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = clock.now()
      listeners.stop(signal)
    } else if (clock.now() - firstAt >= SAME_SIGNAL_MS) {
      // Gone first: should a thread that is stuck hold up the exit, the next signal finds the system's own handler.
      unlisten()
      listeners.exitNow(signal)
    }
  }
  const onDump = (): void => listeners.dump()
  const onUncaught = (error: unknown): void => listeners.uncaught(error, 'uncaughtException')
  const onUnhandled = (error: unknown): void => listeners.uncaught(error, 'unhandledRejection')
  const unlisten = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
    if (dumpSignal) process.off(dumpSignal, onDump)
    process.off('uncaughtException', onUncaught)
    process.off('unhandledRejection', onUnhandled)
  }

  for (const signal of signals) process.on(signal, onSignal)
  if (dumpSignal) process.on(dumpSignal, onDump)
  process.on('uncaughtException', onUncaught)
  process.on('unhandledRejection', onUnhandled)
  return unlisten
}

// Loaded when it is needed: most threads have no Host, and each would load what it imports.
function signalNumbers(): Readonly<Record<NodeJS.Signals, number>> {
  return (createRequire(import.meta.url)('node:os') as typeof os).constants.signals
}

/** What a shell reports for a process that a signal ended. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + signalNumbers()[signal]
}

/** @throws `ERR_INVALID_ARGUMENT` for what is no signal, or one that no process can listen to */
export function checkSignals(signals: readonly NodeJS.Signals[], dumpSignal: NodeJS.Signals | false): void {
  const numbers = signalNumbers()
  for (const signal of dumpSignal === false ? signals : [...signals, dumpSignal]) {
    if (typeof signal !== 'string' || !Object.hasOwn(numbers, signal)) {
      fail(`${oneLine(signal)} is not a signal of this system: give names such as 'SIGTERM'`)
    }
    if (signal === 'SIGKILL' || signal === 'SIGSTOP') {
      fail(`No process can listen to ${signal}: choose another signal for the Host`)
    }
  }
  if (dumpSignal && signals.includes(dumpSignal)) {
    fail(
      `${dumpSignal} cannot both stop the Host and print its tree: take it out of signals, or change dumpSignal`,
    )
  }
}
