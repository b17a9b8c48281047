import type { Row, Target } from './harness.ts'

/** How many of the targets were met, in words. */
export function score(rows: readonly Row[]): string {
  const aimed = rows.filter(({ target }) => target)
  const met = aimed.filter(({ median, target }) => meets(median, target!))
  return `${met.length} of ${aimed.length} targets met.`
}

function meets(value: number, target: Target): boolean {
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast
}

/** In Markdown, aligned, so that it reads in a terminal and in a file. */
export function formatTable(rows: readonly Row[]): string {
  const head = ['', 'measured', 'floor', 'against', 'ratio', 'target', '']
  const cells = [head, head.map(() => ''), ...rows.map(line)]
  const widths = head.map((_cell, column) => Math.max(3, ...cells.map((row) => row[column]!.length)))
  // The numbers to the right.
  const aligned = (text: string, column: number): string =>
    column === 1 || column === 2 ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)
  const rule = widths.map((width, column) =>
    column === 1 || column === 2 ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  )
  return cells.map((row, index) => `| ${(index === 1 ? rule : row.map(aligned)).join(' | ')} |`).join('\n')
}

function line(row: Row): string[] {
  const { what, unit, value, floor, target } = row
  const spread = `${number(row.median)} [${row.quartiles.map(number).join('…')}]`
  return [
    what,
    `${number(value)} ${unit}`,
    floor ? `${number(floor.value)} ${unit}` : '',
    floor?.what ?? '',
    floor ? spread : '',
    target ? goal(target, floor ? '×' : ` ${unit}`) : '',
    target ? (meets(row.median, target) ? 'ok' : 'SHORT') : '',
  ]
}

function goal(target: Target, unit: string): string {
  return 'atMost' in target ? `≤ ${target.atMost}${unit}` : `≥ ${target.atLeast}${unit}`
}

function number(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
}
