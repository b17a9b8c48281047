// The rooms of `src` in their order, the one place that says it: lint (oxlint.config.mjs) holds every import to it, the
// layer test tries that, and CONTRIBUTING shows it. A new room is one line here, and its row there.

/**
 * @typedef {object} Room
 * @property {string} name its folder in `src`
 * @property {string} subject
 * @property {readonly string[]} [packages] those that it alone imports
 * @property {readonly string[]} [apart] rooms above it that it does not import all the same
 */

/** @type {readonly Room[]} */
export const ROOMS = [
  { name: 'base', subject: 'durations, clock, budget, deferred, the walk of values', packages: ['ms'] },
  { name: 'errors', subject: 'the table of codes, `BulkheadError`, errors as data, checked arguments' },
  { name: 'wire', subject: 'values as messages, and every message that crosses' },
  { name: 'worker', subject: 'what booting any worker thread takes: compiled code, flags, loaders, URLs' },
  { name: 'logging', subject: '`ServiceLog`, where lines go', packages: ['pino'] },
  { name: 'beacon', subject: 'the graph and its drawings' },
  { name: 'schedule', subject: 'tasks, timers and cron jobs as data and as clocks', packages: ['croner'] },
  { name: 'service', subject: 'the state machine, a file for each verb; `Service`' },
  { name: 'observe', subject: 'what happens, as typed events; the log is a subscriber' },
  { name: 'supervisor', subject: 'strategies, window, back-off; `Supervisor`' },
  {
    name: 'rpc',
    subject: 'calls over any connection, both ends',
    packages: ['comlink'],
    apart: ['supervisor'],
  },
  { name: 'report', subject: 'a start and a shutdown as data and as pictures; knows no Host' },
  { name: 'handle', subject: 'what a user holds of a service elsewhere', apart: ['supervisor', 'report'] },
  {
    name: 'transport',
    subject: 'how the other side is reached, kept alive and ended',
    apart: ['supervisor', 'report'],
  },
  { name: 'serve', subject: "the service's side", apart: ['supervisor', 'report'] },
  { name: 'isolate', subject: "`isolate()`: the handle's side", apart: ['supervisor', 'report'] },
  { name: 'pool', subject: '`Pool`', packages: ['piscina'], apart: ['supervisor', 'serve', 'isolate'] },
  { name: 'host', subject: '`Host`, signals, dump, watchdog' },
  { name: 'cli', subject: 'a file for each command' },
]

/**
 * Rooms that `room` may not import from: those below it, and those it is kept apart from.
 * @param {Room} room
 */
export function closedTo(room) {
  const below = ROOMS.slice(ROOMS.indexOf(room) + 1).map(({ name }) => name)
  return [...below, ...(room.apart ?? [])]
}

/** As it stands in CONTRIBUTING. */
export function roomsTable() {
  const rows = ROOMS.map(({ name, subject, packages = [], apart = [] }) => {
    const alone = packages.map((each) => `\`${each}\``).join(', ')
    const not = apart.map((each) => `\`${each}\``).join(', ')
    return `| \`${name}\` | ${subject} | ${not} | ${alone} |`
  })
  return [
    '| Room | Subject | Kept apart from | Alone in importing |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
