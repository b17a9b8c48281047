import type { Carrier } from './carrier.ts'
import type { ResolvedOptions } from './options.ts'
import { type Pulse, makePulse } from './pulse.ts'
import { rehearse } from './rehearsal.ts'
import { spawnThread } from './spawn.ts'

/** A thread with this library in it, which waits to be told what to serve. */
export class SpawnedThread {
  readonly carrier: Carrier
  readonly pulse: Pulse | undefined
  dead = false

  /** @throws `ERR_TSX_MISSING`, and what `new Worker` throws */
  constructor(options: ResolvedOptions) {
    this.pulse = makePulse(options.pulse)
    this.carrier = spawnThread(options, this.pulse)
    rehearse()
    void this.carrier.exited.then(() => (this.dead = true))
  }

  async discard(): Promise<void> {
    this.carrier.terminate()
    await this.carrier.exited
  }
}
