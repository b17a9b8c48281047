import type { PathPhase } from './timeline.ts'

/** In the order of the legend, which is that of the steps; light and dark. */
export const PHASE_COLOURS: Readonly<Record<PathPhase, readonly [string, string]>> = {
  drain: ['#8a63c8', '#b497ec'],
  onStop: ['#2f7fd0', '#58a6ff'],
  children: ['#cfd6de', '#3d4650'],
  waitForShutdown: ['#d99a1c', '#e9b949'],
  futures: ['#1f9e8f', '#45c8b6'],
  onShutdown: ['#5a9638', '#86c85c'],
  threadExit: ['#c4568a', '#ea8cb8'],
  other: ['#a9b1ba', '#6b7580'],
}

type Rule = readonly [selector: string, property: string, light: string, dark: string]

const RULES: readonly Rule[] = [
  ['ground', 'fill', '#ffffff', '#0d1117'],
  ['text', 'fill', '#1f2328', '#e6edf3'],
  ['dim', 'fill', '#5f6873', '#8d96a0'],
  ['clean', 'fill', '#2d7d3f', '#56b366'],
  ['bad', 'fill', '#c62f2f', '#ff7b72'],
  ['tint', 'fill', '#fdecea', '#34171a'],
  ['band', 'fill', '#f6f8fa', '#141a21'],
  ['grid', 'stroke', '#dfe4e9', '#262d36'],
  ['axis', 'stroke', '#8b949e', '#6b7580'],
  ['budget', 'stroke', '#c62f2f', '#ff7b72'],
  ['path', 'stroke', '#1f2328', '#f0f6fc'],
]

/** Within an SVG that may stand in a page: every name of ours begins alike. */
export function styleSheet(): string {
  const rules: Rule[] = [
    ...RULES,
    ...Object.entries(PHASE_COLOURS).map(([phase, [light, dark]]): Rule => [phase, 'fill', light, dark]),
  ]
  const sheet = (shade: 2 | 3): string =>
    rules.map((rule) => `.bh-${rule[0]}{${rule[1]}:${rule[shade]}}`).join('')
  return [
    `.bh-report{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:12px;font-variant-numeric:tabular-nums}`,
    '.bh-path{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}',
    '.bh-budget{stroke-width:1.5;stroke-dasharray:5 4}',
    sheet(2),
    `@media (prefers-color-scheme:dark){${sheet(3)}}`,
  ].join('\n')
}
