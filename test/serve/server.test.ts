import { threadId } from 'node:worker_threads'
import t from 'tap'
import { Service } from '../../src/index.ts'
import { encodeError } from '../../src/errors/encode.ts'
import { InlineConnection } from '../../src/transport/connection.ts'
import type { Boot, FromService, ToService } from '../../src/wire/messages.ts'
import { Server } from '../../src/serve/server.ts'
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
  environment: undefined,
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
      const connection = new InlineConnection(threadId)
      const { end } = connection
      const post = (message: ToService): void => connection.post(message)
      end.listen((boot) => void new Server(end, boot as Boot, { load: async () => Served }).run())
      connection.listen((message) => events.push((message as FromService).kind))
      connection.post(BOOT)
      await gate.reached
      post({ kind: 'crash', reason: encodeError(new Error('above')) })
      // The stop is a message of its own, and may come when the start has come to rest already.
      gate.open()
      t.notOk(await settled(connection.exited), hook)
      events.length = 0
      post({ kind: 'stop', timeout: Infinity })
      await connection.exited
      t.strictSame(
        events.filter((event) => event !== 'tree'),
        ['onStop', 'onShutdown', 'down'],
        hook,
      )
    }
  },
)
