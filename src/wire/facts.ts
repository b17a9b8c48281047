import type { MessagePort } from 'node:worker_threads'
import type { EncodedThrow } from '../errors/encode.ts'
import type { StartRecord } from './records.ts'

/** Where a service is in its life. */
export type ServiceState = 'init' | 'starting' | 'running' | 'stopping' | 'stopped' | 'crashed'

/** What one service is doing. */
export interface WorkEntry {
  /** Below the service that was asked, whose own is empty: `/child/grandchild`. */
  readonly path: string
  /** Of the tasks and futures that run. */
  readonly names: readonly string[]
  /** Its thread did not answer; with the JavaScript stack it is in, if that can be read. */
  readonly silent?: { readonly stack: string | undefined }
}

/** What has become of environment variables since another thread took its copy of them. */
export interface EnvironmentChange {
  readonly set: Readonly<Record<string, string>>
  readonly removed: readonly string[]
}

/** How a service started, as its own side saw it. */
export interface RemoteStart {
  /** When this library began there: see Clock.now(). */
  readonly servedAt: number
  /** Milliseconds. */
  readonly moduleLoad?: number
  /** Milliseconds. */
  readonly construction?: number
  /** Undefined when there is no instance. */
  readonly record: StartRecord | undefined
}

/** A change in the graph below the service, whose own id is 0. */
export type TreeChange =
  | { readonly op: 'attach'; readonly parent: number; readonly node: TreeNode }
  | { readonly op: 'detach'; readonly id: number }
  | { readonly op: 'change'; readonly id: number; readonly facts: TreeFacts }

export interface TreeNode {
  readonly id: number
  readonly facts: TreeFacts
  readonly children: readonly TreeNode[]
}

export interface TreeFacts {
  readonly label: string
  readonly shortLabel: string
  readonly state: ServiceState
  readonly started: boolean
  readonly restartCount: number
  readonly threadId?: number
  readonly isolated?: boolean
  /** Of a crashed one. The same number stands for the same reason, which is told the first time. */
  readonly reason?: { readonly ref: number; readonly value?: EncodedThrow }
}

/** What a handle in another thread shows of the service. */
export interface HandleFacts {
  readonly label: string
  readonly path: string
  readonly state: ServiceState
  readonly started: boolean
  readonly restartCount: number
  readonly isolated: boolean
  readonly threadId?: number
  readonly methods?: readonly string[]
  /** Of a crashed one. */
  readonly reason?: EncodedThrow
}

/** A handle on its way: facts, and while it runs a port that leads straight to the service. */
export interface HandedHandle {
  readonly facts: HandleFacts
  readonly port?: MessagePort
}
