import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServiceNode } from './node.ts'

/** Whose task, future, hook or call the running code belongs to, and on whose behalf that was entered. */
interface Frame {
  readonly node: ServiceNode
  readonly outer: Frame | undefined
}

const frames = new AsyncLocalStorage<Frame>()

/** Runs `work` as the service's own: steering its subtree from there must not wait for itself. */
export function runInside<T>(node: ServiceNode, work: () => T): T {
  const outer = frames.getStore()
  // A chain holds each service once: a future that starts a future, for ever, must not grow it.
  for (let frame = outer; frame; frame = frame.outer) if (frame.node === node) return work()
  return frames.run({ node, outer }, work)
}

/** Whether the running code is work of `target` or of something below it. */
export function isInside(target: ServiceNode): boolean {
  for (let frame = frames.getStore(); frame; frame = frame.outer) {
    for (let node: ServiceNode | undefined = frame.node; node; node = node.parent ?? node.elsewhere?.handle) {
      if (node === target) return true
    }
  }
  return false
}

/** Runs `work` as nobody's: for what goes on by itself after its caller, who was inside, has been answered. */
export function runOutside<T>(work: () => T): T {
  return inFrames(undefined, work)
}

/** A callback that runs as the code that gave it, whoever calls it. */
export function asGiven<A extends unknown[]>(callback: (...args: A) => void): (...args: A) => void {
  const given = frames.getStore()
  return (...args) => inFrames(given, () => callback(...args))
}

function inFrames<T>(frame: Frame | undefined, work: () => T): T {
  // Compared first: entering costs the whole process from the first time on.
  return frames.getStore() === frame ? work() : frames.run(frame as Frame, work)
}

/** Keeps the frames of here for a callback that is called from elsewhere. */
export function bindContext<F extends (...args: never[]) => unknown>(callback: F): F {
  return frames.getStore() === undefined ? callback : AsyncLocalStorage.bind<F>(callback)
}
