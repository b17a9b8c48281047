// An actor defined by a module, which is the way that Comedy's README prefers, in its mode for threads.
import actors from 'comedy'

export async function connect() {
  const system = actors()
  const log = system.getLog()
  log.setLevel(log.levels().Silent)
  const root = await system.rootActor()
  // A path from the folder that holds its node_modules.
  const actor = await root.createChild('/threads/comedy.cjs', { mode: 'threaded' })
  return { add: (a, b) => actor.sendAndReceive('add', a, b), close: () => system.destroy() }
}
