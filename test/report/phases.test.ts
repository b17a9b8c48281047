import t from 'tap'
import { Service } from '../../src/index.ts'
import { PATH_PHASES, timelineOf } from '../../src/report/timeline.ts'
import { addLibrarySteps } from '../../src/service/hooks.ts'
import { NODE } from '../../src/service/node.ts'
import { STOP_PHASES } from '../../src/wire/records.ts'
import { reportOf, stopped } from './reports.ts'

class Whole extends Service {
  override waitForShutdown = true
  override lifecycleLevel = 'silent' as const

  protected override onStart(): void {
    void this.addFuture(
      (signal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    )
  }
  protected override onStop(): void {
    this.setShutdown()
  }
}

void t.test('a stop takes its steps in the order that reports and pictures have', async (t) => {
  const service = new Whole()
  service.addDependency(new Whole())
  addLibrarySteps(service[NODE], { drain: async () => {} })
  await service.start()
  await service.stop()
  t.strictSame(
    Object.keys(service[NODE].lastTeardown!.phases),
    STOP_PHASES.filter((phase) => phase !== 'threadExit'),
  )
})

void t.test('every phase has its place in the timeline, in that order', async (t) => {
  const phases = Object.fromEntries(STOP_PHASES.map((phase) => [phase, 10]))
  const totalMs = 10 * STOP_PHASES.length
  const [row] = timelineOf(reportOf(totalMs, [stopped('Host', 0, phases, { totalMs })]))
  t.strictSame(
    row!.spans.map(({ phase }) => phase),
    PATH_PHASES.filter((phase) => phase !== 'other'),
  )
})
