import { crashes, hangs } from './channels.ts'

/** What stands where a stack would. */
export const UNREADABLE_STACK = '    (its stack cannot be read: native code, or a thread started by a thread)'

// The log is one who hears of events among others.

crashes.tap(({ reason }, log) => log?.problem(reason, 'Crashed'))

hangs.tap(({ isolation, forMs, stack = UNREADABLE_STACK }, log) =>
  log?.warn(`No sign of life from its ${isolation} for ${Math.round(forMs)} ms; it is in:\n${stack}`),
)
