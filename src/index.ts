export type { Duration } from './base/duration.ts'
export { Beacon } from './beacon/beacon.ts'
export { BulkheadError, isBulkheadError } from './errors/bulkhead-error.ts'
export type { ErrorCode } from './errors/codes.ts'
export { registerError } from './errors/registry.ts'
export { getLogger } from './logging/service-log.ts'
export { setLogger } from './logging/sink.ts'
export type { ServiceLog } from './logging/types.ts'
export { type CronOptions, type TimerOptions, crontab, task, timer } from './schedule/metadata.ts'
export { Service, type ServiceOptions, type WaitOptions } from './service/service.ts'
export type {
  ServiceLike,
  ServiceState,
  ServiceView,
  StateChange,
  StopOptions,
  SupervisorLike,
} from './service/types.ts'
export type { WaitResult, Work } from './service/wait.ts'
export { isolate } from './isolate/isolate.ts'
export type { IsolateOptions, Isolation } from './isolate/options.ts'
export { transfer } from './wire/pack.ts'
export { ServiceProxy, type WithOptions } from './handle/proxy.ts'
export type { Isolated, RemoteMethods } from './handle/types.ts'
export type { PoolOptions, RunOptions } from './pool/options.ts'
export { Pool } from './pool/pool.ts'
export { Host, type HostOptions } from './host/host.ts'
export { formatReport, type FormatOptions } from './report/format.ts'
export { formatSvg } from './report/svg.ts'
export type { ServiceReport, ShutdownReport } from './report/shutdown-report.ts'
export type { StartReport, StartServiceReport } from './report/start-report.ts'
export {
  Supervisor,
  type BackoffOptions,
  type ChildSpec,
  type RestartType,
  type Strategy,
  type SupervisorEvent,
  type SupervisorOptions,
} from './supervisor/supervisor.ts'
