import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { FOREVER_MS } from '../support/patience.ts'

/** A process of Node, whose output can be waited for. */
export class Child {
  readonly process: ChildProcess
  stdout = ''
  stderr = ''

  constructor(t: Test, args: readonly string[]) {
    this.process = spawn(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.process.stdout!.setEncoding('utf8').on('data', (chunk: string) => (this.stdout += chunk))
    this.process.stderr!.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk))
    t.teardown(() => this.process.kill('SIGKILL'))
  }

  /** Resolves when `text` has come on either stream; fails when the process is over without it. */
  async sees(text: string | RegExp): Promise<void> {
    const { process } = this
    const isThere = (all: string): boolean => (typeof text === 'string' ? all.includes(text) : text.test(all))
    for (const end = AbortSignal.timeout(FOREVER_MS); !isThere(this.stdout + this.stderr);) {
      if (process.exitCode !== null || process.signalCode !== null) {
        throw new Error(`ended without "${text}":\n${this.stdout}\n${this.stderr}`)
      }
      const stop = new AbortController()
      const signal = AbortSignal.any([end, stop.signal])
      const events = [
        once(process.stdout!, 'data', { signal }),
        once(process.stderr!, 'data', { signal }),
        once(process, 'close', { signal }),
      ]
      await Promise.race(events)
      stop.abort()
      for (const event of events) event.catch(() => {})
    }
  }

  /** Sends `signal` again and again until it sees that text. */
  async signalledSees(signal: NodeJS.Signals, text: string | RegExp): Promise<void> {
    const again = setInterval(() => this.process.kill(signal), 1000)
    try {
      this.process.kill(signal)
      await this.sees(text)
    } finally {
      clearInterval(again)
    }
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    const { process } = this
    if (!process.stdout!.closed || !process.stderr!.closed || process.exitCode === null) {
      await once(process, 'close', { signal: AbortSignal.timeout(FOREVER_MS) })
    }
    return process.exitCode ?? process.signalCode
  }

  get lastLine(): string {
    return this.stdout.trimEnd().split('\n').at(-1) ?? ''
  }
}
