// Reads what tap wrote: how many assertions there were, and which tests failed, as a list that one can read.

/**
 * @typedef {{
 *   readonly path: readonly string[], readonly message: string, readonly details: readonly string[]
 * }} Failure `path` is the file and the tests in it, `details` the lines of YAML below the assertion
 */

const LISTED = 50
const IN_ONE_TEST = 5
const DETAIL_LINES = 20
const LINES_OF = { diff: 14, stack: 4 }
const WIDTH = 200

/** What tap says of every failure, and nobody needs to know again. */
const NOISE = new Set(
  'args,at,columnNumber,command,compare,cwd,externalID,generated,jobId,source,stdio,tapCaught,test'.split(
    ',',
  ),
)

const ENDED = 'was ended by'
const EXPIRED = 'did not end in its time'

const RESULT = /^( *)(not )?ok \d+(?: - (.*))?$/

/**
 * The tests that failed, without those that did so only because of one in them.
 * @param {string} tap
 * @param {readonly string[]} [files] those that were to run: tap forgets some after one that took too long
 * @returns {Failure[]}
 */
export function failuresIn(tap, files = []) {
  const lines = tap.split('\n')
  /** @type {Failure[]} */
  const failures = []
  /** @type {{ title: string, failuresBefore: number }[]} */
  const open = []
  const ended = new Set()
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    const subtest = /^( *)# Subtest: (.*)$/.exec(line)
    if (subtest) {
      open.length = Math.min(open.length, depthOf(subtest[1]))
      open.push({ title: clean(subtest[2]), failuresBefore: failures.length })
      continue
    }
    if (line.startsWith('Bail out!')) failures.push({ path: [], message: line, details: [] })
    const result = RESULT.exec(line)
    if (!result) continue
    const [, indent = '', not, rest = ''] = result
    const details = yamlAfter(lines, index, indent)
    // Skipped: a diff may look like a result.
    index += details.length
    const depth = depthOf(indent)
    const title = clean(rest)
    const own = open[depth]?.title === title ? open[depth] : undefined
    const unfinished = own ? open.slice(depth + 1).map((test) => test.title) : []
    const path = open.slice(0, depth).map((test) => test.title)
    open.length = Math.min(open.length, depth)
    if (depth === 0) ended.add(title)
    if (!not || / # (?:TODO|SKIP)\b/i.test(rest)) continue
    const signal = valueOf(details, 'signal')
    const expired = depth === 0 ? valueOf(details, 'expired') : undefined
    if (expired !== undefined) {
      // Told before, as one that was ended, unless tap has forgotten it.
      const index = failures.findIndex(
        ({ path: [file], message }) => file === expired && message.startsWith(ENDED),
      )
      const path = failures[index]?.path ?? [expired]
      failures.splice(index === -1 ? failures.length : index, 1, { path, message: EXPIRED, details: [] })
      ended.add(expired)
    } else if (depth === 0 && own) {
      const isToldOf = failures.length > own.failuresBefore
      if (isToldOf && signal === undefined) continue
      const how = signal ? `${ENDED} ${signal}` : `ended with code ${valueOf(details, 'exitCode')}`
      const when = unfinished.length > 0 ? ' in this test' : isToldOf ? '' : ' and told of no failure'
      failures.push({ path: [title, ...unfinished], message: how + when, details: [] })
    } else if (!own) {
      failures.push({ path, message: title, details })
    } else if (failures.length === own.failuresBefore) {
      failures.push({ path: [...path, title], message: 'failed', details })
    }
  }
  for (const file of files) {
    if (!ended.has(file)) failures.push({ path: [file], message: 'has no result', details: [] })
  }
  return failures
}

/** @param {string | undefined} indent */
const depthOf = (indent) => Math.floor((indent?.length ?? 0) / 4)

/** @param {string | undefined} title */
const clean = (title) =>
  (title ?? '')
    .replace(/ # (?:time=|TODO|SKIP).*$/i, '')
    .replaceAll(/\\([#\\])/g, '$1')
    .trim()

/** @type {(lines: readonly string[], index: number, indent: string) => string[]} */
function yamlAfter(lines, index, indent) {
  if (lines[index + 1] !== `${indent}  ---`) return []
  const end = lines.indexOf(`${indent}  ...`, index)
  return lines.slice(index + 1, end === -1 ? undefined : end).map((line) => line.slice(indent.length + 2))
}

/** @type {(details: readonly string[], key: string) => string | undefined} */
function valueOf(details, key) {
  const value = details.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2)
  return value === 'null' ? undefined : value
}

/**
 * @param {readonly Failure[]} failures
 * @returns {string[]} lines, not too many of them
 */
export function listOf(failures) {
  const lines = []
  /** @type {Map<string, number>} */
  const inTest = new Map()
  let listed = 0
  for (const { path, message, details } of failures) {
    const test = path.map(nameOf).join(' > ')
    const before = inTest.get(test) ?? 0
    inTest.set(test, before + 1)
    if (listed === LISTED || before >= IN_ONE_TEST) continue
    listed++
    lines.push('', `✗ ${[test, message].filter((part) => part !== '').join(' > ')}`.slice(0, 2 * WIDTH))
    lines.push(...matter(details).map((line) => `    ${line}`))
  }
  const more = [...inTest].filter(([, count]) => count > IN_ONE_TEST).slice(0, LISTED)
  for (const [test, count] of more) lines.push('', `+ ${count - IN_ONE_TEST} more in ${test}`)
  const others = more.reduce((left, [, count]) => left - (count - IN_ONE_TEST), failures.length - listed)
  if (others > 0) lines.push('', `+ ${others} more`)
  return lines
}

/** Test files run compiled. @param {string} title */
const nameOf = (title) => title.replace(/\.test\.js$/, '.test.ts')

/** @param {readonly string[]} details */
function matter(details) {
  /** @type {string[]} */
  const lines = []
  const at = details.indexOf('at:')
  const place = ['fileName', 'lineNumber', 'columnNumber'].map((key) =>
    at === -1 ? undefined : details.slice(at).find((line) => line.startsWith(`  ${key}: `)),
  )
  if (place[0]) lines.push(`at ${place.map((line) => line?.replace(/^ *\w+: /, '')).join(':')}`)
  for (const [key, block] of blocksOf(details)) {
    // One line of it is where the failure is.
    if (key === 'stack' && block.length <= 2 && lines.length > 0) continue
    lines.push(...shortened(block, (key === 'diff' || key === 'stack' ? LINES_OF[key] : 10) + 1))
  }
  return shortened(lines, DETAIL_LINES)
}

/**
 * The keys of YAML at every depth, with the lines of each, noise left out.
 * @param {readonly string[]} details
 */
function blocksOf(details) {
  /** @type {[string, string[]][]} */
  const blocks = []
  let noise = Infinity
  let text = Infinity
  let isFolded = false
  for (const line of details) {
    const depth = /^ */.exec(line)?.[0].length ?? 0
    const [, key = ''] = /^ *(\w+):(?: |$)/.exec(line) ?? []
    const isBelow = (/** @type {number} */ other) => depth > other || (line === '' && other !== Infinity)
    if (line === '---' || isBelow(noise)) continue
    // Folded text has an empty line for every end of a line.
    if (isBelow(text) && isFolded && line === '') continue
    if (!isBelow(text)) {
      noise = NOISE.has(key) ? depth : Infinity
      isFolded = / >[\d+-]*$/.test(line)
      text = / [|>][\d+-]*$/.test(line) ? depth : Infinity
      if (noise !== Infinity || /: (?:null|"")$/.test(line)) continue
      if (depth === 0 && key !== '') blocks.push([key, []])
    }
    blocks.at(-1)?.[1].push(line)
  }
  return blocks
}

/** @type {(lines: readonly string[], limit: number) => string[]} */
function shortened(lines, limit) {
  const narrow = lines.map((line) => (line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line))
  if (narrow.length <= limit) return narrow
  return [...narrow.slice(0, limit - 1), `… ${narrow.length - limit + 1} more lines`]
}

/**
 * @param {string} tap
 * @returns the totals of the whole run; no `isWhole` if it did not come to its end
 */
export function countsIn(tap) {
  // The summary at the left margin is that of the whole run; those of subtests are indented.
  const summary = tap.split('\n').findLast((line) => line.startsWith('# { total: '))
  /** @param {string} name */
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary ?? '')?.[1] ?? 0)
  return {
    isWhole: summary !== undefined,
    total: count('total'),
    passed: count('pass'),
    failed: count('fail'),
    skipped: count('skip') + count('todo'),
  }
}

/**
 * @param {string} tap
 * @param {number} failedChecks other checks that failed, each of which counts as a failure
 */
export function totalsOf(tap, failedChecks = 0) {
  const { isWhole, passed, failed, skipped } = countsIn(tap)
  const allFailed = failed + (isWhole ? 0 : 1) + failedChecks
  return { ok: allFailed === 0, line: `${passed} passed, ${allFailed} failed, ${skipped} skipped` }
}
