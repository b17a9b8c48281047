/**
 * Every error of Bulkhead: its code, and the message made from what is known where it is thrown. A message says what
 * happened, to which service, and what to do. `service`, the path of the service it happened to, `phase` and `exitCode`
 * become properties of the error: what is no path, or is not to be told there, goes by another name.
 */
export const MESSAGES = {
  ERR_INVALID_DURATION: (p: { value: string }) =>
    `${p.value} is not a duration: give milliseconds, a string with a unit ('1.5s') or an object with one ({ seconds: 1 })`,
  ERR_INVALID_ARGUMENT: (p: { problem: string }) => p.problem,
  ERR_INVALID_STATE: (p: { verb: string; service: string; state: string }) =>
    `Cannot ${p.verb} ${p.service} while it is ${p.state}: wait for that to be over first`,
  ERR_START_FAILED: (p: { service: string; reason: string }) =>
    `${p.service} failed to start: ${p.reason} (the error it met is the cause)`,
  ERR_STOPPED_WHILE_STARTING: (p: { service: string }) => `${p.service} was stopped before it had started`,
  ERR_SHUTDOWN_TIMEOUT: (p: { service: string; timeout: number }) =>
    `${p.service} waited ${p.timeout} ms for setShutdown(): call it when its work is done, or raise shutdownTimeout`,
  ERR_STOP_TIMEOUT: (p: { service: string; what: string; timeout: number }) =>
    `${p.service} did not stop within ${p.timeout} ms: ${p.what} was still under way and has been abandoned`,
  ERR_HAS_PARENT: (p: { child: string; parent: string }) =>
    `${p.child} already belongs to ${p.parent}: remove it there before adding it elsewhere`,
  ERR_CYCLE: (p: { child: string; parent: string }) =>
    `${p.child} cannot be a child of ${p.parent}, which is itself or one of its own descendants`,
  ERR_NO_MODULE: (p: { className: string }) =>
    `${p.className} does not say which file defines it: add "static readonly module = import.meta.url" to the class`,
  ERR_NO_SUCH_EXPORT: (p: { neededBy: string; module: string; wanted: string }) =>
    `${p.module} does not export ${p.wanted}, which ${p.neededBy} needs: export it there, or name another module or export`,
  ERR_NOT_A_SERVICE: (p: { module: string; name: string }) =>
    `${p.name} of ${p.module} is not a Service: export a class that extends Service`,
  ERR_TSX_MISSING: (p: { module: string }) =>
    `${p.module} is TypeScript: install tsx ("npm install tsx") or compile it to JavaScript first`,
  ERR_RESERVED_NAME: (p: { className: string; name: string }) =>
    `${p.className} has a public method "${p.name}", a name that its handle needs for itself: rename the method`,
  ERR_STARTED_WHILE_LOADING: (p: { module: string }) =>
    `${p.module} starts a service while a thread loads it: move the class to a file of its own, apart from the code that starts the program`,
  ERR_START_TIMEOUT: (p: { service: string; timeout: number; phase: string }) =>
    `${p.service} did not start within ${p.timeout} ms (it got as far as: ${p.phase}): raise startTimeout if it needs longer`,
  ERR_NO_SUCH_METHOD: (p: { service: string; method: string }) =>
    `${p.service} has no callable method "${p.method}": public methods declared by its own classes can be called, hooks and helpers cannot`,
  ERR_NOT_CLONEABLE: (p: { what: string; service: string; reason: string }) =>
    `${p.what} of ${p.service} cannot be cloned to another thread: ${p.reason}`,
  ERR_NOT_RUNNING: (p: { service: string; state: string; what: string }) =>
    `${p.what} was refused because ${p.service} is not running (it is ${p.state}): start it first`,
  ERR_OVERLOADED: (p: { service: string; limit: number; what: string }) =>
    `${p.what} was refused because ${p.service} already has ${p.limit} waiting: slow down, or raise maxQueue`,
  ERR_CALL_TIMEOUT: (p: { service: string; method: string; timeout: number }) =>
    `${p.service}.${p.method}() did not answer within ${p.timeout} ms`,
  ERR_SERVICE_STOPPED: (p: { what: string; service: string }) =>
    `${p.what} was not finished because ${p.service} was stopped`,
  ERR_SERVICE_CRASHED: (p: { what: string; service: string }) =>
    `${p.what} was not finished because ${p.service} crashed (the reason is the cause)`,
  ERR_THREAD_EXITED: (p: { service: string; exitCode: number }) =>
    `The thread of ${p.service} ended by itself with exit code ${p.exitCode}: look for process.exit() or a top-level await that never settles`,
  ERR_THREAD_OUT_OF_MEMORY: (p: { service: string }) =>
    `The thread of ${p.service} ran out of memory: raise resourceLimits.maxOldGenerationSizeMb, or hold less`,
  ERR_THREAD_HUNG: (p: { service: string; timeout: number; stack: string }) =>
    `The thread of ${p.service} gave no sign of life for ${p.timeout} ms and was ended; it was in:\n${p.stack}`,
  ERR_MAX_RESTARTS: (p: { service: string; maxRestarts: number; over: number }) =>
    `${p.service} gave up: more than ${p.maxRestarts} restarts within ${p.over} ms (the last reason is the cause)`,
} as const

export type ErrorCode = keyof typeof MESSAGES
export type ErrorParameters<C extends ErrorCode> = Parameters<(typeof MESSAGES)[C]>[0]
