import pino from 'pino'
import { setLogger } from '../../src/logging/sink.ts'
import { NODE } from '../../src/service/node.ts'
import { Service } from '../../src/service/service.ts'
import type { ServiceLike } from '../../src/service/types.ts'
import {
  type ChildSpec,
  RANDOM,
  Supervisor,
  type SupervisorEvent,
  type SupervisorOptions,
} from '../../src/supervisor/supervisor.ts'
import { FakeClock } from '../support/fake-clock.ts'

setLogger(pino({ level: 'silent' }))

/** Something a hook waits for, until the test opens it. */
export class Gate {
  open!: () => void
  readonly opened: Promise<void> = new Promise((resolve) => (this.open = resolve))
}

type Behaviour = (run: number) => unknown

/** A child that writes down what happens to it, and that does in its hooks what the test says. */
export class Probe extends Service {
  /** Starts begun; the hooks are told. */
  runs = 0
  /** Runs whose `onStart` has begun and whose end has not come. */
  live = 0
  overlapped = false
  starting: Behaviour = () => {}
  stopping: Behaviour = () => {}
  readonly journal: string[]

  constructor(label: string, journal: string[] = []) {
    super({ label })
    this.journal = journal
  }

  protected override async onStart(): Promise<void> {
    this.runs += 1
    this.live += 1
    if (this.live > 1) this.overlapped = true
    this.journal.push(`+${this.label}`)
    try {
      await this.starting(this.runs)
    } catch (error) {
      this.live -= 1
      throw error
    }
  }

  protected override async onStop(): Promise<void> {
    await this.stopping(this.runs)
  }

  protected override onShutdown(): void {
    this.live -= 1
    this.journal.push(`-${this.label}`)
  }
}

export interface Stage {
  readonly clock: FakeClock
  readonly supervisor: Supervisor
  readonly probes: Probe[]
  readonly journal: string[]
  /** `type child` for each event. */
  readonly told: string[]
  readonly events: SupervisorEvent[]
}

export type StageOptions = SupervisorOptions & {
  labels?: readonly string[]
  specs?: (probes: readonly Probe[]) => (ServiceLike | ChildSpec)[]
}

/** A supervisor over probes a, b and c, on a clock of its own; not started, and without jitter. */
export function stage({ labels = ['a', 'b', 'c'], specs, ...options }: StageOptions = {}): Stage {
  const clock = new FakeClock()
  const journal: string[] = []
  const probes = labels.map((label) => new Probe(label, journal))
  const supervisor = new Supervisor(specs?.(probes) ?? probes, { label: 'top', ...options })
  for (const service of [supervisor, ...probes]) service[NODE].clock = clock
  supervisor[RANDOM] = () => 0.5
  const events: SupervisorEvent[] = []
  const told: string[] = []
  supervisor.on((event) => {
    events.push(event)
    told.push(`${event.type} ${event.child.label}`)
  })
  return { clock, supervisor, probes, journal, told, events }
}

export function states(services: readonly ServiceLike[]): string {
  return services.map(({ label, state }) => `${label}:${state}`).join(' ')
}

export function runsOf(probes: readonly Probe[]): number[] {
  return probes.map(({ runs }) => runs)
}
