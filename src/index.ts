// A service: what users write.
export { Service, type ServiceClass } from './service/service.ts'
export type { LifecycleLevel } from './service/hooks.ts'
export type { WaitOptions, WaitResult, Work, WorkResults, WorkValue } from './service/wait.ts'
export {
  type CronOptions,
  type OnError,
  type TimerOptions,
  type WorkDecorator,
  type WorkFunction,
  type WorkMethod,
  crontab,
  task,
  timer,
} from './schedule/metadata.ts'
export type { Duration } from './base/duration.ts'

// What all have in common that are started, steered and looked at.
export type {
  ServiceLike,
  ServiceOptions,
  ServiceState,
  ServiceView,
  StateChange,
  StopOptions,
  SupervisorLike,
} from './service/types.ts'
export type { ManagedService } from './service/managed.ts'
export { Beacon, type BeaconData, type BeaconEvent } from './beacon/beacon.ts'

// Isolation: the same service in a place of its own.
export { isolate } from './isolate/isolate.ts'
export type { IsolateOptions, Isolation } from './isolate/options.ts'
export { ServiceProxy, type WithOptions } from './handle/proxy.ts'
export type { Isolated, RemoteMethods } from './handle/types.ts'
export { transfer } from './wire/pack.ts'
export type { Transferable } from './wire/codec.ts'
export type { Location, PlaceKind } from './wire/facts.ts'

// Supervision.
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts'
export type { ChildSpec, RestartType } from './supervisor/child.ts'
export type { BackoffOptions } from './supervisor/backoff.ts'
export type { Strategy } from './supervisor/strategies.ts'
export type {
  BackoffEvent,
  CrashEvent,
  ForfeitedEvent,
  GaveUpEvent,
  RestartFailedEvent,
  RestartedEvent,
  RestartingEvent,
  SupervisorEvent,
} from './supervisor/events.ts'

// CPU tasks.
export { Pool } from './pool/pool.ts'
export type { PoolOptions, RunOptions } from './pool/options.ts'

// The process, and what its start and shutdown looked like.
export { Host, type HostOptions } from './host/host.ts'
export type { PhaseTimes, ServiceReport, ShutdownReport } from './report/shutdown-report.ts'
export type { StartReport, StartServiceReport } from './report/start-report.ts'
export type { Outcome, StartOutcome, StartPhase, StopPhase, StopStep, TeardownError } from './wire/records.ts'
export { type FormatOptions, formatReport } from './report/format.ts'
export { formatSvg } from './report/svg.ts'

// Errors.
export { BulkheadError, type BulkheadErrorDetails, isBulkheadError } from './errors/bulkhead-error.ts'
export type { ErrorCode } from './errors/codes.ts'
export { type ErrorClass, registerError } from './errors/registry.ts'

// Logs and events.
export { getLogger } from './logging/service-log.ts'
export { setLogger } from './logging/sink.ts'
export type { LogBindings, ServiceLog } from './logging/types.ts'
export type {
  CallContext,
  CallOutcome,
  CrashContext,
  EventContext,
  HangContext,
  StartContext,
  StateContext,
  StopContext,
  SupervisorContext,
} from './observe/events.ts'
