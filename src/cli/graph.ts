import type { Host } from '../host/host.ts'
import type { GraphCommand } from './args.ts'
import { endSoon, writeLast } from './end.ts'
import { loadHost } from './load.ts'
import { runOnce } from './once.ts'
import { tellFailedStart } from './run.ts'

export async function graph(command: GraphCommand): Promise<void> {
  // What the app prints must not end up in the drawing.
  const { stdout, stderr } = process
  stdout.write = stderr.write.bind(stderr)
  const host = await loadHost(command)
  if (command.start) {
    const report = await runOnce(host, () => writeLast('stdout', draw(host, command.format)))
    tellFailedStart(host, report, command.module)
  } else {
    writeLast('stdout', draw(host, command.format))
    process.exitCode = 0
  }
  endSoon()
}

function draw({ beacon }: Host, format: GraphCommand['format']): string {
  if (format === 'mermaid') return beacon.toMermaid()
  return format === 'dot' ? beacon.toDot() : beacon.toTree()
}
