import type { ServiceLike } from '../../src/index.ts'
import type { Caller } from './caller.ts'

/** What befell one service, as its changes of state tell. */
export class Tally {
  readonly name: string
  readonly place: string
  readonly caller: Caller | undefined
  crashes = 0
  restarts = 0
  /** Milliseconds, from the end of one run to the beginning of the next. */
  longestOutage = 0
  #downSince: number | undefined

  constructor(service: ServiceLike, place: string, caller?: Caller) {
    this.name = service.label
    this.place = place
    this.caller = caller
    service.onChange(({ state, previous }) => {
      if (state === 'crashed') this.crashes++
      if (state === 'running') this.#isUp()
      else if (previous === 'running') this.#downSince = performance.now()
    })
  }

  #isUp(): void {
    if (this.#downSince === undefined) return
    this.restarts++
    this.longestOutage = Math.max(this.longestOutage, performance.now() - this.#downSince)
    this.#downSince = undefined
  }
}

/** For console.table(): a row for each, and one for all. */
export function summary(tallies: readonly Tally[]): object {
  const rows = tallies.map(({ name, place, crashes, restarts, caller, longestOutage }) => {
    const { served = 0, rejected = 0 } = caller ?? {}
    return [
      name,
      { place, crashes, restarts, served, rejected, 'longest outage, ms': Math.round(longestOutage) },
    ]
  })
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0)
  const inAll = {
    crashes: sum(({ crashes }) => crashes),
    restarts: sum(({ restarts }) => restarts),
    served: sum(({ caller }) => caller?.served ?? 0),
    rejected: sum(({ caller }) => caller?.rejected ?? 0),
    'longest outage, ms': Math.round(Math.max(...tallies.map(({ longestOutage }) => longestOutage))),
  }
  return Object.fromEntries([...rows, ['in all', inAll]])
}
