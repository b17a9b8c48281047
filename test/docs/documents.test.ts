import t from 'tap'
import { problemsOfLinks, withoutBlocks } from '../../.ci/links.mjs'
import { MESSAGES } from '../../src/errors/codes.ts'
import { documents, guides, readme, root } from './documents.ts'

/** Of the README, which is to be read at one sitting: what is more belongs to a guide. */
const MOST_LINES = 300

t.test('links lead somewhere, within a document, between them and to other files', async (t) => {
  const paths = documents.map(({ path }) => path)
  t.strictSame(problemsOfLinks(root, [...paths, 'CONTRIBUTING.md', 'CHANGELOG.md']), [])
})

t.test('the README is short, and leads to every guide', async (t) => {
  const lines = readme.text.trimEnd().split('\n').length
  t.ok(lines <= MOST_LINES, `${lines} lines, of ${MOST_LINES} at most`)
  for (const { path } of guides) t.ok(readme.text.includes(`](${path})`), path)
})

t.test('a guide says at its top what it is about, and leads back', async (t) => {
  for (const { path, text } of guides) {
    const [title, ...paragraphs] = text.split('\n\n')
    t.match(title, /^# \S.*$/, `${path} has a title`)
    const back = paragraphs.indexOf('Back to the [README](../README.md).')
    t.ok(back === 1 || back === 2, `${path} leads back`)
    t.match(paragraphs[back - 1], /^[A-Z][^\n]*\.$/, `${path} says what it is about`)
  }
})

t.test('Coming from mode warns of seconds before anything else', async (t) => {
  const mode = guides.find(({ name }) => name === 'coming-from-mode')
  t.match(mode?.text, /^# .*\n\n\*\*A number is milliseconds here\. In mode it is seconds\.\*\*/)
})

t.test('every error code has its line in the table of errors, and no other is named anywhere', async (t) => {
  const row = /^\| `(ERR_[A-Z_]+)` \|/gm
  for (const { path, name, text } of documents) {
    const rows = Array.from(text.matchAll(row), ([, code = '']) => code)
    if (name === 'errors') t.strictSame(rows.toSorted(), Object.keys(MESSAGES).toSorted(), 'each once')
    else t.strictSame(rows, [], `none in ${path}`)
    const named = Array.from(text.matchAll(/\bERR_[A-Z_]+\b/g), ([code]) => code)
    t.strictSame(
      named.filter((code) => !Object.hasOwn(MESSAGES, code)),
      [],
      `no other code in ${path}`,
    )
  }
})

t.test('the steps of a stop are told in their order', async (t) => {
  const PHASES = ['drain', 'onStop', 'children', 'waitForShutdown', 'futures', 'onShutdown', 'threadExit']
  const host = guides.find(({ name }) => name === 'host-and-shutdown')
  const line = withoutBlocks(host?.text ?? '').match(/`phases` are the milliseconds of .*?\./)?.[0] ?? ''
  const told = Array.from(line.matchAll(/`(\w+)`/g), ([, phase = '']) => phase).slice(1)
  t.strictSame(told, PHASES)
})
