import type { PhaseTimes, ServiceReport, ShutdownReport } from '../../src/report/shutdown-report.ts'

export const NO_TIME = { drain: 0, onStop: 0, children: 0, futures: 0, waitForShutdown: 0, onShutdown: 0 }

/** A row that began at `from` and took the sum of its phases, if nothing else is said. */
export function stopped(
  path: string,
  from: number,
  phases: Partial<PhaseTimes> = {},
  more: Partial<ServiceReport> = {},
): ServiceReport {
  const totalMs = Object.values(phases).reduce((sum, ms) => sum + ms, 0)
  const times = { startedAtMs: from, totalMs, phases: { ...NO_TIME, ...phases } }
  const label = path.split('/').at(-1)!
  return { path, label, isolation: 'inline', outcome: 'clean', errors: [], ...times, ...more }
}

export function reportOf(totalMs: number, services: readonly ServiceReport[]): ShutdownReport {
  return { reason: 'SIGTERM', totalMs, withinBudget: true, budgetMs: 25_000, services }
}
