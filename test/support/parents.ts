import { type ServiceLike, Service, type SupervisorLike } from '../../src/index.ts'
import { NODE, nodeOf } from '../../src/service/node.ts'

/** An inline parent of handles. */
export class Parent extends Service {
  readonly #tell: (event: string) => void
  constructor(children: readonly ServiceLike[], tell: (event: string) => void = () => {}, label = 'Parent') {
    super({ label })
    this.#tell = tell
    for (const child of children) this.addDependency(child)
  }
  protected override onStart(): void {
    this.#tell(`${this.label}.onStart`)
  }
  protected override onStarted(): void {
    this.#tell(`${this.label}.onStarted`)
  }
  protected override onStop(): void {
    this.#tell(`${this.label}.onStop`)
  }
  protected override onShutdown(): void {
    this.#tell(`${this.label}.onShutdown`)
  }
}

/** The least a supervisor is: its children do not take it along, and it hears of their crash. */
export class FakeSupervisor extends Parent implements SupervisorLike {
  readonly crashes: unknown[] = []
  add(...services: ServiceLike[]): void {
    for (const service of services) {
      if (nodeOf(service).parent !== this[NODE]) this.addDependency(service)
      nodeOf(service).supervisedBy(this)
      service.onChange(({ state, reason }) => state === 'crashed' && this.crashes.push(reason))
    }
  }
  async remove(service: ServiceLike): Promise<void> {
    await this.removeDependency(service)
  }
}
