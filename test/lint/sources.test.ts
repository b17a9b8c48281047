// What no rule of the linter says about the sources.
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../../src/', import.meta.url))
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => ({ name, lines: readFileSync(root + name, 'utf8').split('\n') }))

/** Where a line of code, not of comment, matches. */
function linesWith(pattern: RegExp, within: (name: string) => boolean = () => true): string[] {
  return sources.flatMap(({ name, lines }) =>
    within(name)
      ? lines.flatMap((line) =>
          !/^\s*(?:\/\/|\/?\*)/.test(line) && pattern.test(line) ? [`${name}: ${line.trim()}`] : [],
        )
      : [],
  )
}

const isElsewhere = (name: string): boolean => !name.startsWith('service/')

/** Who has the time from anywhere but a Clock, and why. */
const REAL_TIME: Readonly<Record<string, string>> = {
  'base/clock.ts': 'it is the clock',
  'logging/service-log.ts': 'a line has the time of the machine, whatever clock its service goes by',
  'transport/heartbeat.ts': 'the sign of life of a thread: it is to stop when the real event loop does',
  'host/host.ts': 'it waits for nothing: it keeps the process there',
}

void t.test('time is a parameter', async (t) => {
  const found = linesWith(/\b(?:setTimeout|setInterval|performance\.now|Date\.now)\(/)
  const files = new Set(found.map((line) => line.slice(0, line.indexOf(':'))))
  t.strictSame([...files].toSorted(), Object.keys(REAL_TIME).toSorted(), found.join('\n'))
})

void t.test('the insides of a service are written in src/service alone', async (t) => {
  t.strictSame(
    linesWith(/as HooksLifecycle\b/, isElsewhere),
    [],
    'nor is its life cycle taken for that of hooks',
  )
  t.strictSame(
    linesWith(
      /(?:\b(?:node|run|beacon)|\[NODE\]|nodeOf\([^()]*\)|\.lifecycle)(?:\.\w+)*\.\w+\s*(?:\?\?|\|\||&&|[-+*/])?=(?![=>])/,
      isElsewhere,
    ),
    [],
  )
})

void t.test('what others hold of a service has no member to assign to', async (t) => {
  // A test may give it another clock.
  const allowed = ['node.ts: clock: Clock = systemClock']
  const classes = ['node.ts', 'run.ts', 'start-progress.ts', 'stop-progress.ts', 'work.ts', 'children.ts']
  // Two spaces in: a member of the class, and a field if its name is followed by a type or a value.
  const fields = linesWith(/^ {2}(?!readonly |#|static )\w+[?!]?(?::| =)/, (name) =>
    classes.some((file) => name === `service/${file}`),
  )
  // Parameters and local variables of functions, and members of interfaces, are no fields of the classes.
  const members = fields
    .map((line) => line.replace('service/', ''))
    .filter((line) => !/,$|^\S+ const /.test(line))
  t.strictSame(members, allowed)
})
