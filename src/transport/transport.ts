import type { ResourceLimits } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { Outbox } from '../rpc/batch.ts'
import type { Line } from '../rpc/line.ts'
import type { ServiceNode } from '../service/node.ts'
import type { ServiceClass } from '../service/service.ts'
import type { EnvironmentChange, Location, PlaceKind } from '../wire/facts.ts'
import type { StartPhase, StopPhase } from '../wire/records.ts'

/** How places of one kind are made. Who uses one asks for a capability, never what kind it is. */
export interface Transport {
  readonly kind: PlaceKind
  /**
   * Makes a place whose turn is yet to come: nothing of the user's runs in it, and it keeps no process alive until its
   * ref() is called. Undefined where making one takes no time.
   */
  prepare?(spec: PlaceSpec): Connection
  /** @throws when no place can be made */
  open(spec: PlaceSpec): Connection
}

/** What the making of a place takes. */
export interface PlaceSpec {
  /** Name of the place, for people. */
  readonly label: string
  /** URL of the service's module: which loaders there are to be follows from it. */
  readonly module: string
  /** What the user asks of the worker, as `worker_threads.Worker` has it. */
  readonly worker?: WorkerSettings
  readonly hang: HangLimits
  /** What only a place on this very thread needs; a place that is prepared does not have it yet. */
  readonly here?: { readonly load: () => Promise<ServiceClass>; readonly handle: ServiceNode | undefined }
}

export interface WorkerSettings {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly execArgv?: readonly string[] | undefined
  readonly resourceLimits?: ResourceLimits | undefined
}

export interface HangLimits {
  /** Milliseconds without a sign of life until it is told; `Infinity`: never. */
  readonly warning: number
  /** Milliseconds without a sign of life until the place is ended; `Infinity`: never. */
  readonly timeout: number
}

/** The handle's side of the place a service lives in. It carries messages and ends; it decides nothing. */
export interface Connection extends Line {
  readonly location: Location
  /** The steps of start and stop that the place itself takes time for. */
  readonly phases?: { readonly start: StartPhase; readonly exit: StopPhase }
  /** Resolves when the place is gone, after all that was said in it has been heard. */
  readonly exited: Promise<Exit>
  /** Ends it, whatever it does. */
  terminate(): void
  /** Makes the process go on for its sake. */
  ref?(): void
  /** What has become of the environment since the place was made. */
  environmentChange?(): EnvironmentChange | undefined
  /** The JavaScript stack that it is in, if that can be had within so many ms. */
  stack?(ms: number, clock: Clock): Promise<string | undefined>
  /** Watches for signs of life until the returned function is called. A place that hangs too long ends itself. */
  heartbeat?(watch: HangWatch): () => void
}

/** How a place has ended. */
export interface Exit {
  /**
   * Why, for an end that nobody asked for.
   * @param service path of the service that lived there
   * @param lastWord the uncaught error that the place told of before
   */
  reason(service: string, lastWord: { readonly error: unknown } | undefined): unknown
}

export interface HangWatch {
  readonly clock: Clock
  /** The path of the service, for messages. */
  readonly service: () => string
  readonly warn: (silentForMs: number, stack: string | undefined) => void
}

/** The service's side of a connection. */
export interface ServiceEnd extends Line {
  /** Through which all that is said here goes, in its order. */
  readonly outbox: Outbox
  /** From now on messages go there, and nowhere else. */
  listen(receive: (message: unknown) => void): void
  /** Nothing more will be said: the place may end as soon as nothing else keeps it alive. */
  close(): void
}
