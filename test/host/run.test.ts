import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { ShutdownReport } from '../../src/report/shutdown-report.ts'
import { Child } from '../cli/process.ts'
import { fixture as compiled } from '../support/both.ts'
import { patiently } from '../support/patience.ts'

interface Outcome {
  readonly report: ShutdownReport
  readonly listeners: readonly number[]
  readonly listenersBefore: readonly number[]
}

const CLI = 'src/cli/main.js'
const BLOCKED = 'test/fixtures/cli/blocked.js'
const fixture = 'test/fixtures/cli/host.js'
const hosting = (t: Test, options: object): Child => new Child(t, [fixture, JSON.stringify(options)])
// Not the last line: pino writes those of the log a little later than they are logged.
const outcomeOf = ({ stdout }: Child): Outcome =>
  JSON.parse(stdout.split('\n').find((line) => line.startsWith('{"report"')) ?? '{}') as Outcome

void t.test('exit codes, reasons and what is left behind', { jobs: 2 }, async (t) => {
  const cases: [string, object, number, string, RegExp?][] = [
    ['stop()', { act: 'stop' }, 0, 'stop'],
    ['shutdown()', { act: 'shutdown' }, 0, 'stop'],
    ['an uncaught error', { act: 'throw' }, 1, 'crash', /Uncaught error on the main thread/],
    ['an unhandled rejection', { act: 'reject' }, 1, 'crash', /Unhandled rejection on the main thread/],
    ['crash()', { act: 'crash' }, 1, 'crash', /on purpose/],
    ['a failed start', { startError: 'no way' }, 1, 'start-failed', /Failed to start|no way/],
    ['a stop hook that throws', { act: 'shutdown', stopError: 'bad' }, 1, 'stop', /bad/],
    ['one abandoned', { act: 'shutdown', stopMs: 500, host: { stopTimeout: 50 } }, 1, 'stop', /abandoned/],
    ['a crash, bounded', { act: 'throw', stopMs: 500, host: { stopTimeout: 50 } }, 1, 'crash', /abandoned/],
  ]
  for (const [name, options, code, reason, text] of cases) {
    void t.test(name, async (t) => {
      const child = hosting(t, options)
      t.equal(await child.ended(), code)
      const { report, listeners, listenersBefore } = outcomeOf(child)
      t.equal(report.reason, reason)
      t.same(listeners, listenersBefore, 'no listener stays on the process')
      if (text) t.match(child.stdout, text)
    })
  }
})

void t.test('each error of a stop is logged once', async (t) => {
  const child = hosting(t, { act: 'stop', stopError: 'bad' })
  t.equal(await child.ended(), 1)
  t.equal(child.stdout.split('\n').filter((line) => line.includes('"level":50')).length, 1, child.stdout)
})

void t.test('signals', { jobs: 2 }, async (t) => {
  void t.test('the first one stops it in order', async (t) => {
    const child = hosting(t, {})
    await child.sees('up')
    child.process.kill('SIGTERM')
    t.equal(await child.ended(), 0)
    t.equal(outcomeOf(child).report.reason, 'SIGTERM')
    t.match(child.stdout, 'stopping')
  })

  void t.test('with an error in a stop hook it is 1', async (t) => {
    const child = hosting(t, { stopError: 'bad' })
    await child.sees('up')
    child.process.kill('SIGINT')
    t.equal(await child.ended(), 1)
    t.match(outcomeOf(child).report, {
      reason: 'SIGINT',
      services: [{}, { outcome: 'clean', errors: [{ name: 'Error', message: 'bad', phase: 'onStop' }] }],
    })
  })

  void t.test('during the start it stops, and that is no failure', async (t) => {
    const child = hosting(t, { startMs: 3_600_000 })
    await child.sees('starting')
    child.process.kill('SIGTERM')
    t.equal(await child.ended(), 0)
    t.notMatch(child.stdout, '"level":50')
    t.notMatch(child.stdout, 'up\n')
    t.equal(outcomeOf(child).report.reason, 'SIGTERM')
  })

  void t.test('a repeat within half a second is the same one', async (t) => {
    const child = hosting(t, { act: 'signals', stopMs: 300 })
    t.equal(await child.ended(), 0)
    t.equal(outcomeOf(child).report.reason, 'SIGINT')
  })

  void t.test('a second one exits at once, and says what was stopping', async (t) => {
    const child = hosting(t, { stopMs: 3_600_000 })
    await child.sees('up')
    child.process.kill('SIGTERM')
    await child.sees('stopping')
    // Sooner it would be the same one.
    await new Promise((resolve) => setTimeout(resolve, 550))
    child.process.kill('SIGINT')
    t.equal(await child.ended(), 130)
    t.same(outcomeOf(child), {}, 'the stop did not come to its end')
    t.equal(
      child.stderr,
      'Second signal (SIGINT): exiting at once with code 130; still stopping: Host/Worker (onStop)\n',
    )
  })

  void t.test('one that arrives during a restart ends it', async (t) => {
    const child = hosting(t, { act: 'restart' })
    await child.sees('up again')
    child.process.kill('SIGTERM')
    t.equal(await child.ended(), 0)
    t.equal(outcomeOf(child).report.reason, 'SIGTERM')
  })

  void t.test('the dump signal prints the live tree and its work', async (t) => {
    const child = hosting(t, {})
    await child.sees('up')
    child.process.kill('SIGUSR2')
    await child.sees('running: tick')
    t.equal(child.stderr, 'Host (running)\n├─ Worker (running)\n└─ Ticker (running) · running: tick\n')
    child.process.kill('SIGTERM')
    t.equal(await child.ended(), 0)
  })

  void t.test('it tells of work in threads, inline and nested ones too', async (t) => {
    const child = new Child(t, [fileURLToPath(compiled('cli/dumped'))])
    await child.sees('up')
    const tree = [
      'Host (running)',
      '├─ Quick (running, thread N) · running: work',
      '├─ Inline (running, thread N) · running: work',
      '├─ Blocked (running, thread N) · running: work',
      '└─ Nest (running, thread N) · running: watch',
      '   └─ Busy (running, thread N) · running: work',
    ]
    const pattern = tree
      .join('\n')
      .replaceAll(/[()]/g, String.raw`\$&`)
      .replaceAll('thread N', String.raw`thread \d+`)
    // A thread has only so long to answer: on a machine that is busy with other things it may miss that.
    await child.signalledSees('SIGUSR2', new RegExp(`^${pattern}$`, 'm'))
    t.pass()
    child.process.kill('SIGTERM')
    t.equal(await child.ended(), 0)
  })

  void t.test('a thread that is blocked gives no answer: its stack is printed', async (t) => {
    const child = new Child(t, [fileURLToPath(compiled('cli/dumped')), 'blocked'])
    await child.sees('up')
    // The stack has only so long: a machine that is busy with other things may miss it the first time.
    await child.signalledSees(
      'SIGUSR2',
      'Host/Blocked does not answer; its thread is in:\n    at loopForEver (',
    )
    t.match(child.stderr, /^├─ Blocked \(running, thread \d+\) · no answer$/m)
    t.match(child.stderr, / Busy \(running, thread \d+\) · no answer$/m, 'in a thread of a thread, too')
    child.process.kill('SIGTERM')
    t.equal(await child.ended(), 1)
  })

  void t.test('without a handler of its own a signal does what it always does', async (t) => {
    const child = hosting(t, { host: { signals: ['SIGTERM'], dumpSignal: false } })
    await child.sees('up')
    child.process.kill('SIGUSR2')
    t.equal(await child.ended(), 'SIGUSR2')
  })
})

void t.test('a main thread that an inspector may hold is not', async (t) => {
  const release = join(t.testdir({}), 'release')
  const child = new Child(t, ['--inspect=127.0.0.1:0', CLI, 'run', BLOCKED, release])
  await child.sees('blocking')
  await new Promise((resolve) => setTimeout(resolve, patiently(400)))
  writeFileSync(release, '')
  t.equal(await child.ended(), 0)
  t.notMatch(child.stderr, 'has been blocked')
})

void t.test('a blocked main thread is told of, with its stack, while it is blocked', async (t) => {
  const release = join(t.testdir({}), 'release')
  const child = new Child(t, [CLI, 'run', BLOCKED, release])
  await child.sees('blocking')
  await child.sees(
    /the main thread has been blocked for \d+ ms; it is in:\n\s+at blockTheLoop \(\S+blocked\.ts:6:/,
  )
  writeFileSync(release, '')
  t.equal(await child.ended(), 0)
})
