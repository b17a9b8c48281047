import fc from 'fast-check'
import t from 'tap'
import type { ServiceReport, ShutdownReport } from '../../src/report/shutdown-report.ts'
import { axisTicks } from '../../src/report/svg-axis.ts'
import { formatSvg } from '../../src/index.ts'
import { reportOf, stopped } from './reports.ts'

/** The texts of a document, which has to be well-formed: each element closed in its turn, each character escaped. */
function textsOf(svg: string): string[] {
  const open: string[] = []
  const texts: string[] = []
  const markup = /<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<>]*")*)(\/?)>|([^<]+)/g
  let at = 0
  for (const match of svg.matchAll(markup)) {
    if (match.index !== at) throw new Error(`malformed at: ${svg.slice(at, at + 80)}`)
    at += match[0].length
    const [, closes, name, attributes = '', closed, text] = match
    if (text !== undefined) {
      if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`a bare & in: ${text}`)
      if (open.length === 0 && text.trim() !== '') throw new Error(`text outside of the document: ${text}`)
      if (open.at(-1) === 'text' || open.at(-1) === 'title') texts.push(text)
    } else if (closes) {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`)
    } else {
      const names = [...attributes.matchAll(/ ([a-zA-Z-]+)=/g)].map(([, attribute]) => attribute)
      if (new Set(names).size !== names.length) throw new Error(`an attribute twice: ${attributes}`)
      if (!closed) open.push(name!)
    }
  }
  if (at !== svg.length || open.length > 0) throw new Error(`malformed at its end: ${open.join(' ')}`)
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000B-\u001F\uFFFE\uFFFF]|\p{Cs}/u.test(svg)) throw new Error('no character of XML')
  if (/NaN|undefined|Infinity|null/.test(svg.replaceAll(/>[^<]*</g, '><')))
    throw new Error('a coordinate that is none')
  return texts
}

const tree = reportOf(412, [
  stopped('Host', 0, { children: 405, onShutdown: 4 }, { totalMs: 411 }),
  stopped(
    'Host/Indexer',
    120,
    { drain: 40, onStop: 60, children: 85, futures: 30, onShutdown: 12, threadExit: 42 },
    { isolation: 'thread', threadId: 3, totalMs: 284 },
  ),
  stopped('Host/Indexer/Store', 225, { onStop: 20, onShutdown: 60 }),
  stopped('Host/Api', 8, { drain: 15, onStop: 90, futures: 6 }),
])

void t.test('what it shows of a clean shutdown', async (t) => {
  const svg = formatSvg(tree)
  const texts = textsOf(svg)
  t.match(texts[0], 'Shutdown (SIGTERM): 4 services in 412 ms, within the budget of 25 s')
  t.ok(texts.some((text) => text.startsWith('Waited longest for: Host/Api onStop 90 ms (22 %) · ')))
  for (const text of ['Store', 'thread 3', 'clean', '284 ms', '100 ms', 'threadExit', 'threadExit 42 ms'])
    t.ok(texts.includes(text), text)
  t.equal(svg.match(/<path class="bh-path"/g)?.length, 2, 'the path, and its sign in the legend')
  t.notMatch(svg, 'class="bh-budget"', 'a budget far off is not in the picture')
  t.notMatch(
    svg,
    /<script|href|url\(|@import|class="bh-bad"/,
    'nothing from elsewhere, and nothing that failed',
  )
  t.match(svg, '@media (prefers-color-scheme:dark)')
})

const FAILED = ['timed-out', 'terminated', 'crashed'] as const

void t.test('what went wrong stands out, and the budget is drawn', async (t) => {
  const error = {
    name: 'BulkheadError',
    code: 'ERR_STOP_TIMEOUT',
    phase: 'onStop',
    message: 'No\nend & <no> "answer"',
  }
  const report: ShutdownReport = {
    ...reportOf(1200, [
      stopped('Host', 0, { children: 1200 }),
      ...FAILED.map((outcome, index) =>
        stopped(
          `Host/${outcome}$&`,
          index * 400,
          { onStop: 400 },
          { outcome, errors: index === 0 ? [error] : [] },
        ),
      ),
      stopped('Host/gone', -5000, { onStop: 2 }),
      stopped('Host/before', -30, { onStop: 60 }),
      { ...stopped('Host/never', 0), outcome: 'not-started', startedAtMs: undefined, totalMs: undefined },
    ]),
    withinBudget: false,
    budgetMs: 1000,
  }
  const svg = formatSvg(report)
  const texts = textsOf(svg)
  t.equal(svg.match(/class="bh-tint"/g)?.length, FAILED.length)
  for (const text of ['✗ timed out', '✗ terminated', '✗ crashed', 'not started', 'was down 5 s before'])
    t.ok(texts.includes(text), text)
  t.ok(
    texts.includes(
      '✗ Host/timed-out$&amp; onStop: ERR_STOP_TIMEOUT: No end &amp; &lt;no&gt; &quot;answer&quot;',
    ),
  )
  t.match(svg, 'class="bh-budget"')
  t.ok(texts.includes('budget 1 s'))
  t.ok(texts.includes('began before the shutdown'))
})

void t.test('a limit that was nearly met is in the picture', async (t) => {
  const near = { ...reportOf(900, [stopped('Host', 0, { onStop: 900 })]), budgetMs: 1000 }
  t.match(formatSvg(near), 'class="bh-budget"')
})

void t.test('one service, many, no time, no rows, names without end', async (t) => {
  textsOf(formatSvg(reportOf(0, [stopped('Host', 0)])))
  textsOf(formatSvg(reportOf(0, [])))
  const many = Array.from({ length: 199 }, (_, index) =>
    stopped(`Host/${index}`, 1990 - index * 10, { onStop: 10 }),
  )
  const texts = textsOf(formatSvg(reportOf(1990, [stopped('Host', 0, { children: 1990 }), ...many])))
  t.ok(texts.includes('198'))

  const long = 'x'.repeat(500)
  const shortened = textsOf(formatSvg(reportOf(5, [stopped(`Host<${long}`, 0, { onStop: 5 })])))
  t.ok(
    shortened.some((text) => text.startsWith(`Host&lt;${long} (inline): clean`)),
    'whole in the tooltip',
  )
  t.ok(
    shortened.some((text) => /^Host&lt;x{20,60}…$/.test(text)),
    'short in the row',
  )
})

void t.test('property: well-formed, whatever a report says', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '<&>"\'', ']]>', '\uD800', '\u0000\u001B[1m', '漢字 🙂'),
  )
  const ms = fc.oneof(fc.double({ min: -1e6, max: 1e9 }), fc.constantFrom(0, -0, NaN, Infinity, undefined))
  const outcome = fc.constantFrom<ServiceReport['outcome']>('clean', ...FAILED, 'not-started')
  const service = fc.record({
    path: text,
    isolation: fc.constantFrom('inline' as const, 'thread' as const),
    threadId: fc.option(fc.nat(), { nil: undefined }),
    outcome,
    startedAtMs: ms,
    totalMs: ms,
    phases: fc.dictionary(fc.constantFrom('onStop', 'children', 'threadExit'), ms),
    errors: fc.array(fc.record({ name: text, message: text, phase: text }), { maxLength: 2 }),
  })
  const report = fc.record({
    reason: fc.constantFrom('stop', 'SIGINT'),
    totalMs: ms,
    budgetMs: ms,
    withinBudget: fc.boolean(),
    services: fc.array(service, { maxLength: 6 }),
  })
  fc.assert(
    fc.property(report, (report) => {
      textsOf(formatSvg(report as unknown as ShutdownReport))
    }),
    { numRuns: 500 },
  )
  t.pass()
})

void t.test('ticks of the axis', async (t) => {
  t.same(axisTicks(1), [0, 0.2, 0.4, 0.6, 0.8, 1])
  t.same(axisTicks(412), [0, 100, 200, 300, 400])
  t.same(
    axisTicks(90_000),
    [0, 15, 30, 45, 60, 75, 90].map((seconds) => seconds * 1000),
  )
  for (const end of [0.1, 0.3, 7, 99, 12_345, 1e7, 1e12]) {
    const { length } = axisTicks(end)
    t.ok(length >= 2 && length <= 9, `${length} up to ${end}`)
  }
})
