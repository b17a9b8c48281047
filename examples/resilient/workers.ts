import { createHash } from 'node:crypto'
import { Service } from '../../src/index.ts'

/** Ways to go down: `exit`, `throw` and `reject` need a thread to end, `work` does it anywhere. */
export const FALLS = ['exit', 'throw', 'reject', 'work'] as const
export type Fall = (typeof FALLS)[number]

/** Goes down when told to. */
abstract class Fragile extends Service {
  static override readonly module = import.meta.url

  async fall(how: Fall): Promise<void> {
    const error = new Error(`told to fall: ${how}`)
    switch (how) {
      case 'exit':
        process.exit(1)
        break
      case 'throw':
        setImmediate(() => {
          throw error
        })
        break
      case 'reject':
        void Promise.reject(error)
        break
      case 'work':
        void this.addFuture(Promise.reject(error), 'doomed')
    }
  }
}

export class Primes extends Fragile {
  async countBelow(limit: number): Promise<number> {
    let count = 0
    for (let n = 2; n < limit; n++) {
      let isPrime = true
      for (let d = 2; d * d <= n && isPrime; d++) isPrime = n % d !== 0
      if (isPrime) count++
    }
    return count
  }
}

export class Digests extends Fragile {
  async sha256(text: string): Promise<string> {
    // Not in one go, so that a crash finds calls half done.
    await this.sleep(1)
    return createHash('sha256').update(text).digest('hex')
  }
}
