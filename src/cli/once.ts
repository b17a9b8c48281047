import type { Host } from '../host/host.ts'
import type { ShutdownReport } from '../report/shutdown-report.ts'
import { StderrSink } from './stderr-sink.ts'

/** Runs the Host until it is up, calls `whenUp`, and stops it. Its log goes to stderr, from warn on. */
export async function runOnce(host: Host, whenUp = (): void => {}): Promise<ShutdownReport> {
  host.configure({ sink: new StderrSink('warn') })
  let isDone = false
  const unsubscribe = host.onChange(({ state }) => {
    if (state !== 'running' || isDone) return
    isDone = true
    whenUp()
    void host.shutdown()
  })
  try {
    return await host.run()
  } finally {
    unsubscribe()
  }
}
