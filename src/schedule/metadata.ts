import type { Duration } from '../base/duration.ts'
import { fail, oneOf, toMilliseconds } from '../errors/arguments.ts'
import { oneLine } from '../errors/describe.ts'
import { checkInterval, validateCron } from './ticks.ts'

/** What a task, timer or cron runs; its signal aborts when the service has to let go of it. */
export type WorkFunction = (signal: AbortSignal) => Promise<void>

/** What an error in a run does: crash the service, or be logged. */
export type OnError = 'crash' | 'log'

export interface TimerOptions {
  /** Whether the first run comes at once instead of after one interval. @default false */
  immediate?: boolean
  /** Name of the work, for messages and pendingWork(). @default the name of the method or function */
  name?: string
  /** What a run that throws does: crash the service, or be logged until the next is due. @default 'crash' */
  onError?: OnError
}

export interface CronOptions {
  /** The time zone of the expression, as an IANA name such as `'Europe/Paris'`. @default the process's own */
  timezone?: string
  /** Name of the work, for messages and pendingWork(). @default the name of the method or function */
  name?: string
  /** What a run that throws does: crash the service, or be logged until the next is due. @default 'crash' */
  onError?: OnError
}

export interface TaskDefinition {
  readonly kind: 'task'
  readonly name: string
  readonly run: WorkFunction
}

export interface TimerDefinition {
  readonly kind: 'timer'
  readonly name: string
  /** Milliseconds; `Infinity`: never. */
  readonly every: number
  readonly immediate: boolean
  readonly onError: OnError
  readonly run: WorkFunction
}

export interface CronDefinition {
  readonly kind: 'cron'
  readonly name: string
  readonly expression: string
  readonly timezone?: string | undefined
  readonly onError: OnError
  readonly run: WorkFunction
}

/** Work that a service starts by itself. */
export type WorkDefinition = TaskDefinition | TimerDefinition | CronDefinition

/** A method that can be a task: async, with an AbortSignal as its only parameter, or none. */
export type WorkMethod<This> = (this: This, signal: AbortSignal) => Promise<unknown>

/** A decorator for async methods, public or protected. */
export type WorkDecorator = <This extends object, Method extends WorkMethod<This>>(
  method: Method,
  context: ClassMethodDecoratorContext<This, Method>,
) => void

interface Entry {
  /** Name of the decorated method. */
  readonly key: PropertyKey
  /** The method as it was where it was decorated. */
  readonly method: unknown
  readonly definition: WorkDefinition
}

interface Target {
  readonly kind: DecoratorContext['kind']
  readonly name: string | symbol
  readonly static: boolean
  readonly private: boolean
}

interface Schedule {
  entries: Entry[]
  readonly methods: Set<PropertyKey>
}

const schedules = new WeakMap<object, Schedule>()

/** Decorates an async method that runs from start until stop. Used bare: `@Service.task`. */
export const task: WorkDecorator = (method, context) => {
  decorate('task', method, context, { kind: 'task', name: 'task', run: nothing }, undefined)
}

/**
 * Decorates an async method that runs every so often. Runs never overlap; those that would are skipped.
 * @param every a number is milliseconds; `Infinity`: never
 * @throws `ERR_INVALID_DURATION`, `ERR_INVALID_ARGUMENT`, when the class is defined
 */
export function timer(every: Duration, options: TimerOptions = {}): WorkDecorator {
  const template = timerDefinition(every, nothing, options)
  return (method, context) => decorate('timer', method, context, template, options.name)
}

/**
 * Decorates an async method that runs at the times of a cron expression, in croner's grammar: five fields, seconds
 * optional in front. Runs never overlap; those that would are skipped.
 * @throws `ERR_INVALID_ARGUMENT`, when the class is defined
 */
export function crontab(expression: string, options: CronOptions = {}): WorkDecorator {
  const template = cronDefinition(expression, nothing, options)
  return (method, context) => decorate('crontab', method, context, template, options.name)
}

/**
 * A timer as data.
 * @throws `ERR_INVALID_DURATION`, or `ERR_INVALID_ARGUMENT` for less than 1 ms or a bad option
 */
export function timerDefinition(
  every: Duration,
  run: WorkFunction,
  options: TimerOptions = {},
): TimerDefinition {
  const milliseconds = toMilliseconds(every)
  checkInterval(milliseconds)
  const { immediate = false } = options
  return { kind: 'timer', every: milliseconds, immediate, run, ...common('timer', run, options) }
}

/**
 * A cron as data.
 * @throws `ERR_INVALID_ARGUMENT` for a bad expression, time zone or option
 */
export function cronDefinition(
  expression: string,
  run: WorkFunction,
  options: CronOptions = {},
): CronDefinition {
  const { timezone } = options
  validateCron(expression, timezone)
  return { kind: 'cron', expression, timezone, run, ...common('cron', run, options) }
}

/** The decorated works of `instance`, in definition order, base class first. */
export function definitionsOf(instance: object): readonly WorkDefinition[] {
  return schedules.get(instance)?.entries.map((entry) => entry.definition) ?? []
}

/** Whether `methodName` was decorated in any class of `instance`. */
export function isScheduledMethod(instance: object, methodName: PropertyKey): boolean {
  return schedules.get(instance)?.methods.has(methodName) ?? false
}

const nothing = async (): Promise<void> => {}

function common(
  kind: string,
  run: WorkFunction,
  { name = run.name || kind, onError = 'crash' }: { name?: string; onError?: OnError },
): { name: string; onError: OnError } {
  if (typeof name !== 'string' || name === '') fail(`${oneLine(name)} is not a name for a ${kind}`)
  return { name, onError: oneOf(`onError of a ${kind}`, onError, ['crash', 'log']) }
}

function decorate<This extends object, Method extends WorkMethod<This>>(
  decorator: string,
  method: Method,
  context: ClassMethodDecoratorContext<This, Method>,
  template: WorkDefinition,
  givenName: string | undefined,
): void {
  checkTarget(decorator, context)
  const { name: key, access } = context
  const name = givenName ?? (typeof key === 'symbol' ? (key.description ?? String(key)) : key)
  context.addInitializer(function (this: This) {
    // Looked up when it is called: a subclass may have overridden the method without decorating it again.
    const run = async (signal: AbortSignal): Promise<void> => {
      await access.get(this).call(this, signal)
    }
    record(this, { key, method, definition: { ...template, name, run } })
  })
}

function checkTarget(decorator: string, context: unknown): void {
  const { kind, name, static: isStatic, private: isPrivate } = (context ?? {}) as Partial<Target>
  if (kind === 'method' && !isStatic && !isPrivate) return
  const usage = decorator === 'task' ? '@task, without parentheses' : `@${decorator}(…), with its arguments`
  // Without a kind it is no standard decorator call: parentheses too many or too few, or another decorator dialect.
  const problem =
    kind === undefined
      ? `${decorator} is a standard decorator (no experimentalDecorators): write ${usage}, before an async method`
      : `${decorator} cannot decorate ${describeTarget(kind, isStatic, isPrivate)} "${String(name)}": use it on an async method, public or protected`
  fail(problem)
}

function describeTarget(kind: string, isStatic = false, isPrivate = false): string {
  return ['the', isStatic && 'static', isPrivate && 'private', kind].filter(Boolean).join(' ')
}

function record(instance: object, entry: Entry): void {
  let schedule = schedules.get(instance)
  if (schedule === undefined) schedules.set(instance, (schedule = { entries: [], methods: new Set() }))
  const { key, method, definition } = entry
  // Replaced: what has the same name, and what another class scheduled under a method that is overridden here.
  const replaced = (old: Entry): boolean => {
    if (old.definition.name === definition.name && old.key === key && old.method === method) {
      fail(`${String(key)} is decorated twice as "${definition.name}": give one of them a name`)
    }
    return old.definition.name === definition.name || (old.key === key && old.method !== method)
  }
  const place = schedule.entries.findIndex(replaced)
  const kept = schedule.entries.filter((old) => !replaced(old))
  kept.splice(place === -1 ? kept.length : place, 0, entry)
  schedule.entries = kept
  schedule.methods.add(key)
}
