import t from 'tap'
import { Service } from '../../src/index.ts'
import { encodeError } from '../../src/errors/encode.ts'
import { serveInline } from '../../src/serve/inline.ts'
import { inlineTransport } from '../../src/transport/inline.ts'
import type { PlaceSpec } from '../../src/transport/transport.ts'
import type { Boot, FromService, ToService } from '../../src/wire/messages.ts'
import { quiet } from '../support/both.ts'
import { Gate } from '../support/gate.ts'
import { settled } from '../support/probe.ts'

quiet()

const BOOT: Boot = {
  module: '',
  exportName: '',
  args: { value: [] },
  label: undefined,
  path: 'Served',
  restart: false,
  restartCount: 0,
  limits: { concurrency: Infinity, maxQueue: Infinity, drainTimeout: 0 },
  logLevel: 'silent',
  isolation: 'inline',
  environment: undefined,
}

const SPEC: Omit<PlaceSpec, 'here'> = {
  label: 'Served',
  module: '',
  hang: { warning: Infinity, timeout: Infinity },
}

void t.test(
  'marked as crashed by its handle while it starts, it is torn down when the stop comes',
  async (t) => {
    for (const hook of ['onStart', 'onStarted'] as const) {
      const gate = new Gate()
      const events: string[] = []
      class Served extends Service {
        protected override async onStart(): Promise<void> {
          if (hook === 'onStart') await gate.pass()
        }
        protected override async onStarted(): Promise<void> {
          if (hook === 'onStarted') await gate.pass()
        }
        protected override onStop(): void {
          events.push('onStop')
        }
        protected override onShutdown(): void {
          events.push('onShutdown')
        }
      }
      const here = { load: async () => Served, handle: undefined }
      const connection = inlineTransport(serveInline).open({ ...SPEC, here })
      const post = (message: ToService): void => connection.post(message)
      connection.listen((message) => events.push((message as FromService)[0]))
      post(['boot', BOOT])
      await gate.reached
      post(['crash', encodeError(new Error('above'))])
      // The stop is a message of its own, and may come when the start has come to rest already.
      gate.open()
      t.notOk(await settled(connection.exited), hook)
      events.length = 0
      post(['stop', Infinity])
      await connection.exited
      t.strictSame(
        events.filter((event) => event !== 'tree'),
        ['onStop', 'onShutdown', 'down'],
        hook,
      )
    }
  },
)
