import { nextTurn } from '../base/clock.ts'
import { keepFromEvents } from '../observe/life.ts'
import { NODE } from '../service/node.ts'
import { DEFAULT_HOOKS, Service, type ServiceClass } from '../service/service.ts'
import { compiledLibrary } from '../worker/compiled.ts'
import { inlineTransport } from '../transport/inline.ts'
import type { PlaceSpec } from '../transport/transport.ts'
import type { Boot, FromService, ToService } from '../wire/messages.ts'
import { serveInline } from './inline.ts'

/** Without hooks: to enter one would cost the whole process from then on (see context.ts). */
class WarmUpService extends Service {
  override lifecycleLevel = 'silent' as const

  constructor() {
    super()
    keepFromEvents(this[NODE])
  }
}

// Nobody is to meet it, not even who has put other hooks in the place of the defaults.
Object.assign(WarmUpService.prototype, DEFAULT_HOOKS)

class WarmUpParent extends WarmUpService {
  readonly child = this.addDependency(new WarmUpService())
}

const BOOT: Boot = {
  module: '',
  exportName: '',
  args: { value: [] },
  label: undefined,
  path: 'WarmUpService',
  restart: false,
  restartCount: 0,
  limits: { concurrency: Infinity, maxQueue: Infinity, drainTimeout: 0 },
  logLevel: 'silent',
  isolation: 'inline',
  environment: undefined,
}

const SPEC: PlaceSpec = {
  label: BOOT.path,
  module: BOOT.module,
  hang: { warning: Infinity, timeout: Infinity },
}

let begun = false

/**
 * Has V8 compile what the life of a thread takes, by going through it once on this one, and shares that with all threads:
 * theirs then start sooner, and stop sooner still, since nothing has run a thread's stop before it stops. To be called
 * when this thread is about to wait for another one to begin; does nothing from the second time on, or where the library
 * is loaded as modules.
 */
export function warmUp(): void {
  const share = compiledLibrary?.fill
  if (begun || !share) return
  begun = true
  // Without it threads compile for themselves.
  live().then(share, () => {})
}

const load = async (): Promise<ServiceClass> => WarmUpParent

async function live(): Promise<void> {
  const connection = inlineTransport(serveInline).open({ ...SPEC, here: { load, handle: undefined } })
  const started = new Promise<void>((resolve) => {
    connection.listen((message) => {
      if ((message as FromService)[0] === 'started') resolve()
    })
  })
  // In several turns: each is some milliseconds of code that has never run.
  await nextTurn()
  connection.post(['boot', BOOT] satisfies ToService)
  await started
  await nextTurn()
  connection.post(['stop', Infinity] satisfies ToService)
  await connection.exited
  await nextTurn()
}
