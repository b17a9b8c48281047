import { type PathPhase, PATH_PHASES } from './timeline.ts'

/** How a phase is drawn. Waiting is thin, work is thick. */
interface PhaseStyle {
  readonly light: string
  readonly dark: string
  readonly isThin?: boolean
  /** In the legend, if its name alone does not say it. */
  readonly legend?: string
}

export const PHASE_STYLES: Readonly<Record<PathPhase, PhaseStyle>> = {
  drain: { light: '#8a63c8', dark: '#b497ec' },
  onStop: { light: '#2f7fd0', dark: '#58a6ff' },
  children: { light: '#cfd6de', dark: '#3d4650', isThin: true, legend: 'children (waiting for them)' },
  waitForShutdown: { light: '#d99a1c', dark: '#e9b949' },
  futures: { light: '#1f9e8f', dark: '#45c8b6' },
  onShutdown: { light: '#5a9638', dark: '#86c85c' },
  threadExit: { light: '#c4568a', dark: '#ea8cb8' },
  other: { light: '#a9b1ba', dark: '#6b7580', isThin: true },
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
    ...PATH_PHASES.map((phase): Rule => {
      const { light, dark } = PHASE_STYLES[phase]
      return [phase, 'fill', light, dark]
    }),
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
