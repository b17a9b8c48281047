import type { Service } from '../service/service.ts'
import type { ServiceProxy, WithOptions } from './proxy.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- the widest function, as lib.es5's own helper types have it
type AnyFunction = (...args: any[]) => any

/** Names that are no remote methods: the proxy's own, Service's, hooks whatever their visibility. */
type NotRemote =
  | keyof Service
  | keyof ServiceProxy
  | 'postInit'
  | 'onInitDependencies'
  | 'onFirstStart'
  | 'onStart'
  | 'onStarted'
  | 'onStop'
  | 'onShutdown'
  | 'onRestart'
  | 'then'
  | 'toJSON'
  | `_${string}`

/** Asynchronous methods keep their signature, generics and overloads included; others return a Promise. */
type Remote<F extends AnyFunction> = [ReturnType<F>] extends [never]
  ? (...args: Parameters<F>) => Promise<never>
  : ReturnType<F> extends PromiseLike<unknown> | AsyncIterable<unknown>
    ? F
    : (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>

/** The methods of `T` as they are called from another thread. */
export type RemoteMethods<T> = {
  readonly [
    K in keyof T as K extends NotRemote | symbol ? never : T[K] extends AnyFunction ? K : never
  ]: T[K] extends AnyFunction ? Remote<T[K]> : never
}

/** A handle on a service that lives elsewhere. */
export type Isolated<T extends Service> = Omit<ServiceProxy, 'with'> &
  RemoteMethods<T> & {
    /** The remote methods alone, each call with these options. */
    with(options: WithOptions): RemoteMethods<T>
  }
