import type { PlaceKind } from './facts.ts'

/**
 * The steps of a stop, in the one order that the teardown, the reports and the pictures share. In the row of a service in
 * a thread all but the last are that service's own, and its thread ends after them; a service that itself holds threads
 * ends these before its onShutdown, which is to find them gone.
 */
export const STOP_STEPS = [
  'drain',
  'onStop',
  'children',
  'waitForShutdown',
  'futures',
  'resources',
  'onShutdown',
  'threadExit',
] as const
export type StopStep = (typeof STOP_STEPS)[number]

/** A step whose time reports tell; that of the others is nobody's. */
export type StopPhase = Exclude<StopStep, 'resources'>

export function isStopPhase(step: StopStep | StartPhase): step is StopPhase {
  return STOP_PHASES.includes(step as StopPhase)
}

export const STOP_PHASES: readonly StopPhase[] = STOP_STEPS.filter((step) => step !== 'resources')

export type Outcome = 'clean' | 'timed-out' | 'terminated' | 'crashed' | 'not-started'

export interface TeardownError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly phase: string
}

/** How one service's last run ended, and those of its children: plain data, so that it crosses threads and JSON. */
export interface TeardownRecord {
  readonly path: string
  readonly label: string
  readonly isolation: PlaceKind
  readonly threadId?: number
  readonly pid?: number
  readonly outcome: Outcome
  /** Of Clock.now(). */
  readonly beganAt: number
  readonly totalMs: number
  readonly phases: Readonly<Partial<Record<StopPhase, number>>>
  readonly errors: readonly TeardownError[]
  readonly children: readonly TeardownRecord[]
}

/** The steps of a start that take time, in their order; the first three are those of a service that is isolated. */
export const START_PHASES = [
  'threadStart',
  'moduleLoad',
  'construction',
  'postInit',
  'onRestart',
  'onInitDependencies',
  'onFirstStart',
  'onStart',
  'tasks',
  'children',
  'onStarted',
] as const
export type StartPhase = (typeof START_PHASES)[number]

export type StartOutcome = 'running' | 'failed' | 'stopped' | 'not-started'

/** How one service's last run began, and those of its children: plain data, as TeardownRecord is. */
export interface StartRecord {
  readonly path: string
  readonly label: string
  readonly isolation: PlaceKind
  readonly threadId?: number
  readonly pid?: number
  /** `stopped`: before it was running. */
  readonly outcome: StartOutcome
  /** Of Clock.now(). */
  readonly beganAt: number
  readonly totalMs: number
  readonly phases: Readonly<Partial<Record<StartPhase, number>>>
  readonly children: readonly StartRecord[]
}
