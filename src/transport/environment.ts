import type { EnvironmentChange } from '../wire/facts.ts'

/** Undefined when nothing has changed. */
export function environmentChange(
  before: NodeJS.ProcessEnv,
  now: NodeJS.ProcessEnv,
): EnvironmentChange | undefined {
  const current = { ...now } as Record<string, string>
  const set = Object.fromEntries(Object.entries(current).filter(([name, value]) => before[name] !== value))
  const removed = Object.keys(before).filter((name) => !(name in current))
  return Object.keys(set).length + removed.length > 0 ? { set, removed } : undefined
}

export function applyToThisThread({ set, removed }: EnvironmentChange): void {
  for (const name of removed) delete process.env[name]
  Object.assign(process.env, set)
}
