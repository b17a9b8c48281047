import { isElsewhere } from '../wire/facts.ts'
import { formatMs } from './milliseconds.ts'
import type { ServiceReport, ShutdownReport } from './shutdown-report.ts'
import type { StartReport, StartServiceReport } from './start-report.ts'

/** A row of the report with its place in the tree. */
export interface Row<S = ServiceReport> {
  readonly service: S
  readonly depth: number
  /** What its path adds to its parent's. */
  readonly name: string
  /** Where the row of its parent stands; undefined for one at the top. */
  readonly parent: number | undefined
}

/** The tree is read off the paths; a label may contain a slash, so only paths of the report itself count as parents. */
export function rowsOf<S extends { readonly path: string }>(services: readonly S[]): Row<S>[] {
  const above: number[] = []
  return services.map((service, index) => {
    while (above.length > 0 && !service.path.startsWith(`${services[above.at(-1)!]!.path}/`)) above.pop()
    const depth = above.length
    const parent = above.at(-1)
    above.push(index)
    const name = parent === undefined ? service.path : service.path.slice(services[parent]!.path.length + 1)
    return { service, depth, name: plain(name), parent }
  })
}

export function headline(report: ShutdownReport | StartReport): string {
  const { services, totalMs } = report
  const count = `${services.length} ${services.length === 1 ? 'service' : 'services'}`
  if ('outcome' in report) return `Start (${report.outcome}): ${count} in ${formatMs(totalMs)}`
  const { reason, withinBudget, budgetMs } = report
  const budget = budgetMs === undefined ? 'budget' : `budget of ${formatMs(budgetMs)}`
  return `Shutdown (${reason}): ${count} in ${formatMs(totalMs)}, ${withinBudget ? 'within the' : 'OVER the'} ${budget}`
}

export function placeOf({ isolation, threadId, pid }: ServiceReport | StartServiceReport): string {
  const id = threadId ?? pid
  return id === undefined || !isElsewhere(isolation) ? isolation : `${isolation} ${id}`
}

export function errorText({ name, message, code, phase }: ServiceReport['errors'][number]): string {
  return plain(`✗ ${phase}: ${code ?? name}: ${message}`)
}

/** Without control characters: names and messages may come from outside, and this is printed to a terminal. */
export function plain(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
}

export function shorten(text: string, length: number): string {
  const characters = Array.from(text)
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}
