import { longestOf, pathThrough } from './critical-path.ts'
import { formatMs } from './milliseconds.ts'
import type { ServiceReport, ShutdownReport } from './shutdown-report.ts'
import { errorText, headline, placeOf, plain } from './rows.ts'
import { axisTicks } from './svg-axis.ts'
import { PHASE_STYLES, styleSheet } from './svg-style.ts'
import {
  type Plan,
  GAP,
  MARGIN,
  ROW,
  SIZE,
  WIDTH,
  drawRow,
  indentOf,
  outcomeOf,
  shapeOf,
  totalOf,
} from './svg-rows.ts'
import { box, escaped, fitted, linesOf, px, textAt, widthOf } from './svg-text.ts'
import { type TimedRow, PATH_PHASES, timelineOf } from './timeline.ts'

const LINE = 17
const NO_BREAK = '\u00A0'
/** How much of it a detour of the path has to be worth, in pixels. */
const SHORTEST_STEP = 3
/** A tick's label is left out this close to the budget's line. */
const TICK_ROOM = 28
const LONGEST_NAME = 320
const LONGEST_SHOWN = 3
const LINES_PER_ERROR = 4

/**
 * Draws a shutdown report as an SVG that needs nothing else: a bar for each service, made of its phases, with what the
 * shutdown waited for marked. It follows the colour scheme of who looks at it.
 */
export function formatSvg(report: ShutdownReport): string {
  const rows = timelineOf(report)
  const path = pathThrough(rows, report.totalMs)
  const head = headOf(report, longestOf(path))
  const plan = planFor(report, rows, MARGIN + head.height)
  const xOf = (ms: number): number =>
    plan.left + (Math.min(Math.max(ms, 0), plan.endMs) / plan.endMs) * (plan.right - plan.left)
  const yOf = new Map(rows.map(({ service: { path } }, index) => [path, plan.top + index * ROW]))

  const limit = report.budgetMs !== undefined && report.budgetMs <= plan.endMs ? report.budgetMs : undefined

  const body = [
    ...head.parts,
    ...legend(rows, path.length > 0, plan.top - 48),
    ...axis(plan, limit, xOf),
    ...rows.flatMap((row, index) => drawRow(row, { plan, xOf, y: plan.top + index * ROW })),
    drawPath(path, xOf, yOf),
    ...(limit === undefined ? [] : budgetLine(limit, plan, xOf)),
  ]
  const errors = errorsOf(report.services, plan.bottom + 12)
  const height = errors.bottom + MARGIN - 6
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="bh-report" role="img" width="${WIDTH}" height="${px(height)}" viewBox="0 0 ${WIDTH} ${px(height)}">`,
    `<title>${escaped(headline(report))}</title>`,
    `<style>${styleSheet()}</style>`,
    `<rect class="bh-ground" width="${WIDTH}" height="${px(height)}"/>`,
    ...body,
    ...errors.parts,
    '</svg>',
    '',
  ].join('\n')
}

type Longest = ReturnType<typeof longestOf>

function headOf(report: ShutdownReport, longest: Longest): { parts: string[]; height: number } {
  const parts = [
    textAt(MARGIN, MARGIN + 16, fitted(headline(report), WIDTH - 2 * MARGIN, 20), {
      of: report.withinBudget ? 'text' : 'bad',
      size: 20,
      bold: true,
    }),
  ]
  let y = MARGIN + 38
  for (const line of linesOf(waitedFor(report.totalMs, longest), WIDTH - 2 * MARGIN, SIZE, 3)) {
    parts.push(textAt(MARGIN, y, line, { of: 'dim' }))
    y += LINE
  }
  return { parts, height: y - MARGIN + 62 }
}

function waitedFor(totalMs: number, longest: Longest): string {
  if (longest.length === 0) return 'Nothing was waited for.'
  const told = longest.slice(0, LONGEST_SHOWN).map(({ path, phase, ms }) =>
    // What belongs together stays on one line.
    `${path} ${phase} ${formatMs(ms)} (${Math.round((ms / Math.max(totalMs, ms)) * 100)} %)`.replaceAll(
      ' ',
      NO_BREAK,
    ),
  )
  return `Waited longest for: ${told.join(' · ')}`
}

function planFor({ totalMs, budgetMs }: ShutdownReport, rows: readonly TimedRow[], top: number): Plan {
  const names = rows.map(({ name, depth }) => widthOf(name, SIZE) + indentOf(depth))
  const name = MARGIN + 4
  const place = name + Math.min(Math.max(100, ...names), LONGEST_NAME) + GAP
  const outcome = place + widest(rows.map(({ service }) => placeOf(service))) + GAP
  const totals = rows.map(({ service }) => totalOf(service))
  // Bold where it went wrong, which is wider.
  const outcomes = widest(rows.map(({ service }) => outcomeOf(service))) * 1.1
  const total = outcome + outcomes + GAP + widest(totals)
  const whole = totalMs > 0 && Number.isFinite(totalMs) ? totalMs : 1
  // A limit that was nearly met is worth a look.
  const endMs = budgetMs !== undefined && budgetMs > whole && budgetMs < whole * 1.2 ? budgetMs * 1.01 : whole
  return {
    ...{ name, place, outcome, total, top, endMs },
    left: total + GAP + 6,
    right: WIDTH - MARGIN - 8,
    bottom: top + rows.length * ROW,
  }
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, one) => Math.max(most, widthOf(one, SIZE)), 0)
}

function legend(rows: readonly TimedRow[], hasPath: boolean, y: number): string[] {
  const seen = new Set(rows.flatMap(({ spans }) => spans.map(({ phase }) => phase)))
  const parts: string[] = []
  let x = MARGIN
  const entry = (sign: string, label: string): void => {
    parts.push(sign, textAt(x + 18, y, label, { of: 'dim' }))
    x += 18 + widthOf(label, SIZE) + 16
  }
  for (const phase of PATH_PHASES) {
    if (!seen.has(phase)) continue
    const { height, lift } = shapeOf(phase)
    entry(box(phase, { x, y: y - 10 + lift, width: 12, height }), PHASE_STYLES[phase].legend ?? phase)
  }
  if (hasPath)
    entry(`<path class="bh-path" d="M${px(x)} ${px(y - 4)}h12"/>`, 'was waited for (critical path)')
  return parts
}

function axis(plan: Plan, limit: number | undefined, xOf: (ms: number) => number): string[] {
  const { top, bottom } = plan
  return axisTicks(plan.endMs).flatMap((ms) => {
    const x = px(xOf(ms))
    const grid = `<path class="bh-grid" d="M${x} ${px(top - 4)}V${px(bottom)}"/>`
    if (limit !== undefined && Math.abs(xOf(ms) - xOf(limit)) < TICK_ROOM) return [grid]
    return [grid, textAt(xOf(ms), top - 10, formatMs(ms), { of: 'dim', size: 11, anchor: 'middle' })]
  })
}

/** A line under what was waited for, from one service to the next. */
function drawPath(
  path: ReturnType<typeof pathThrough>,
  xOf: (ms: number) => number,
  yOf: ReadonlyMap<string, number>,
): string {
  const steps: string[] = []
  let last: number | undefined
  for (const { path: service, phase, startMs, ms } of path) {
    // What lies between two that stopped one after the other.
    if (phase === 'other' && last !== undefined && xOf(startMs + ms) - xOf(startMs) < SHORTEST_STEP) continue
    const y = (yOf.get(service) ?? 0) + ROW - 3
    if (last === undefined) steps.push(`M${px(xOf(startMs))} ${px(y)}`)
    else if (y !== last) steps.push(`V${px(y)}`)
    steps.push(`H${px(xOf(startMs + ms))}`)
    last = y
  }
  return steps.length === 0 ? '' : `<path class="bh-path" d="${steps.join('')}"/>`
}

function budgetLine(budgetMs: number, plan: Plan, xOf: (ms: number) => number): string[] {
  const x = xOf(budgetMs)
  const label = `budget ${formatMs(budgetMs)}`
  const isTight = x + widthOf(label, SIZE) > WIDTH - MARGIN
  return [
    `<path class="bh-budget" d="M${px(x)} ${px(plan.top - 30)}V${px(plan.bottom)}"/>`,
    textAt(isTight ? x - 5 : x + 5, plan.top - 24, label, {
      of: 'bad',
      bold: true,
      anchor: isTight ? 'end' : undefined,
    }),
  ]
}

function errorsOf(services: readonly ServiceReport[], top: number): { parts: string[]; bottom: number } {
  const parts: string[] = []
  let y = top
  const room = WIDTH - 2 * MARGIN - 14
  for (const { path, errors } of services) {
    for (const error of errors) {
      const whole = `✗ ${plain(path)} ${errorText(error).slice(2)}`
      linesOf(whole, room, SIZE, LINES_PER_ERROR).forEach((line, index) => {
        y += LINE
        parts.push(textAt(MARGIN + (index === 0 ? 0 : 14), y, line, { of: 'bad' }))
      })
      y += 4
    }
  }
  return { parts, bottom: y }
}
