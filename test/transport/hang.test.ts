import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { isBulkheadError, Supervisor } from '../../src/index.ts'
import { resolveOptions } from '../../src/isolate/options.ts'
import { Child } from '../cli/process.ts'
import { Busy, BusyParent } from '../fixtures/busy.ts'
import { failure, fixture, liveThreads, sleep, until } from '../support/both.ts'
import { isolate } from '../support/isolate.ts'
import { FOREVER_MS, slowDownTimers } from '../support/patience.ts'
import { record } from '../support/record.ts'

// Long enough for a busy machine to turn the loops of its threads, and to get at a stack.
slowDownTimers()
const HANG = 500

/** The stack is there: it names `fn`, and the line of the source that it names first is the one that loops. */
function namesTheLoop(t: Test, text: string, fn: string): void {
  const [, name, url = '', line] = /^ +at (\S+) \((\S+):(\d+):\d+\)$/m.exec(text) ?? []
  t.equal(name, fn, text)
  t.match(url, /test\/fixtures\/busy\.(?:ts|js)$/)
  const source = readFileSync(url.startsWith('file:') ? fileURLToPath(url) : url, 'utf8').split('\n')
  t.match(source[Number(line) - 1], /for \(;;\)|while \(Atomics/, 'the very line')
}

void t.test('a loop without end in a call: ended, with the stack as the reason', async (t) => {
  const log = record(t)
  const handle = isolate(Busy, { hangTimeout: HANG })
  await handle.start()
  const changes: string[] = []
  handle.onChange(({ state }) => changes.push(state))
  const calls = [handle.never(), handle.loopForEver(), handle.never()].map(failure)
  for (const error of await Promise.all(calls)) {
    t.ok(isBulkheadError(error, 'ERR_SERVICE_CRASHED'), String(error))
    t.equal(error.cause, handle.crashReason)
  }
  t.equal(handle.state, 'crashed')
  const reason = handle.crashReason as Error
  t.ok(isBulkheadError(reason, 'ERR_THREAD_HUNG'), String(reason))
  t.match(reason, { service: 'Busy' })
  t.match(reason.message, /^The thread of Busy gave no sign of life for 500 ms/)
  namesTheLoop(t, reason.message, 'loopForEver')
  await handle.stop()
  t.equal(liveThreads(), 0)
  t.same(changes, ['crashed'])
  const told = log.problems.filter(({ err }) => err?.message.includes('no sign of life'))
  t.equal(told.length, 1, 'told once in the log')
  t.match(told[0]?.err?.message, /loopForEver/)
})

void t.test('in onStart: start() rejects with it', async (t) => {
  record(t)
  const handle = isolate(Busy, { args: ['onStart'], hangTimeout: HANG })
  const error = await failure(handle.start())
  t.ok(isBulkheadError(error, 'ERR_THREAD_HUNG'), String(error))
  namesTheLoop(t, error.message, 'spinForEver')
  t.match(error.message, /at onStart \(/)
  t.equal(handle.state, 'crashed')
  t.equal(handle.crashReason, error)
  await handle.stop()
  t.equal(liveThreads(), 0)
})

void t.test('in a task: a supervisor restarts it', async (t) => {
  record(t)
  const handle = isolate(Busy, { args: ['task'], hangTimeout: HANG })
  const supervisor = new Supervisor([handle], { maxRestarts: 1, over: '1h' })
  const crashes: unknown[] = []
  supervisor.on((event) => {
    if (event.type === 'crash') crashes.push(event.reason)
  })
  await supervisor.start()
  await supervisor.waitUntilStopped()
  t.equal(crashes.length, 2)
  for (const reason of crashes) {
    t.ok(isBulkheadError(reason, 'ERR_THREAD_HUNG'), String(reason))
    namesTheLoop(t, (reason as Error).message, 'spinForEver')
    t.match((reason as Error).message, /at work \(/)
  }
  t.ok(isBulkheadError(supervisor.crashReason, 'ERR_MAX_RESTARTS'))
  await supervisor.stop()
  t.equal(liveThreads(), 0)
})

void t.test('during a stop: the stop goes on as the teardown, the state ends crashed', async (t) => {
  record(t)
  const handle = isolate(Busy, { args: ['onStop'], hangTimeout: HANG })
  await handle.start()
  await handle.stop()
  t.equal(handle.state, 'crashed')
  t.ok(isBulkheadError(handle.crashReason, 'ERR_THREAD_HUNG'), String(handle.crashReason))
  namesTheLoop(t, (handle.crashReason as Error).message, 'spinForEver')
  t.equal(liveThreads(), 0)
})

void t.test('a stop of a blocked thread within a budget tells its stack', async (t) => {
  record(t)
  const handle = isolate(Busy)
  let told = ''
  // The stack has only so long: a machine that is busy with other things may miss it.
  for (let tries = 0; tries < 20 && !told.includes('loopForEver'); tries++) {
    await handle.start()
    const call = failure(handle.loopForEver())
    const error = await failure(handle.stop({ timeout: 300 }))
    t.ok(isBulkheadError(error, 'ERR_STOP_TIMEOUT'), String(error))
    told = error.message
    t.equal(handle.state, 'stopped')
    t.ok(isBulkheadError(await call, 'ERR_SERVICE_STOPPED'))
    t.equal(liveThreads(), 0)
  }
  t.match(told, /^Busy did not stop within 300 ms: its thread, which did not answer/)
  namesTheLoop(t, told, 'loopForEver')
})

void t.test(
  'of a TypeScript module that only the thread has loaded, the line of the source is told',
  async (t) => {
    record(t)
    const module = new URL('../fixtures/busy.ts', import.meta.url)
    const handle = isolate<Busy>(module, { export: 'Busy', hangTimeout: HANG })
    await handle.start()
    t.ok(isBulkheadError(await failure(handle.loopForEver()), 'ERR_SERVICE_CRASHED'))
    const { message } = handle.crashReason as Error
    t.match(message, /busy\.ts:/)
    namesTheLoop(t, message, 'loopForEver')
    await handle.stop()
  },
)

const resolve = (): Promise<never> => Promise.reject(new Error('not asked for'))

void t.test('by default a long computation is warned of, and never ended', async (t) => {
  const { spec } = resolveOptions({}, { label: 'Any', module: 'file:///any.js', resolve })
  t.same(spec.hang, { warning: 10_000, timeout: Infinity })
  t.same(
    resolveOptions(
      { hangWarning: false, hangTimeout: '2s' },
      { label: 'Any', module: 'file:///any.js', resolve },
    ).spec.hang,
    {
      warning: Infinity,
      timeout: 2000,
    },
  )
  const log = record(t)
  const handle = isolate(Busy, { hangWarning: HANG })
  await handle.start()
  const told = () => log.lines.filter(({ level, msg }) => level === 40 && msg.includes('No sign of life'))
  for (const times of [1, 2]) {
    const memory = new SharedArrayBuffer(4)
    const looping = handle.loopUntil(memory)
    await until(() => told().length >= times, 'the warning')
    // Time enough to be told again.
    await sleep(HANG)
    Atomics.store(new Int32Array(memory), 0, 1)
    t.equal(await looping, 'done', 'it comes to its end')
    const warnings = told()
    t.equal(warnings.length, times, 'one warning for each time')
    t.match(warnings.at(-1), { msg: /^\[Busy\] No sign of life from its thread for \d+ ms/, service: 'Busy' })
    namesTheLoop(t, warnings.at(-1)?.msg ?? '', 'loopUntil')
    // Its loop turns: what comes next is another hang.
    await sleep(HANG / 2)
  }
  t.equal(handle.state, 'running')
  t.equal(handle.restartCount, 0)
  await handle.stop()
  t.same(log.problems, [])
})

void t.test(
  'blocked outside of JavaScript: ended as well, and the stack says that it cannot be had',
  async (t) => {
    record(t)
    const handle = isolate(Busy, { hangTimeout: HANG })
    await handle.start()
    t.ok(isBulkheadError(await failure(handle.waitFor(FOREVER_MS)), 'ERR_SERVICE_CRASHED'))
    t.ok(isBulkheadError(handle.crashReason, 'ERR_THREAD_HUNG'))
    t.match((handle.crashReason as Error).message, /waitFor|its stack cannot be read/)
    await handle.stop()
    t.equal(liveThreads(), 0)
  },
)

void t.test('a thread that a thread started is ended as well, without its stack', async (t) => {
  record(t)
  const handle = isolate(BusyParent, { args: [HANG] })
  await handle.start()
  const [child] = handle.children
  await handle.blockChild()
  await until(() => handle.state === 'crashed', 'the crash')
  const reason = handle.crashReason as Error
  t.ok(isBulkheadError(reason, 'ERR_THREAD_HUNG'), String(reason))
  t.match(reason, { service: 'BusyParent/Busy' })
  t.match(reason.message, /its stack cannot be read/)
  await handle.stop()
  t.equal(child?.state, 'crashed')
  t.equal(liveThreads(), 0)
})

void t.test('while an inspector is open nothing is a hang, in threads of threads neither', async (t) => {
  const child = new Child(t, [fixture('cli/inspected').pathname])
  t.equal(await child.ended(), 0, child.stderr)
  const said = child.stdout.split('\n').filter((line) => /^[a-z]/.test(line))
  t.same(said, [
    'computed done running',
    'open running running',
    'closed ERR_SERVICE_CRASHED crashed',
    'nested ERR_THREAD_HUNG',
  ])
  t.notMatch(child.stdout.split('closed')[0], 'No sign of life', 'no warning either')
})
