// The entry of every thread: JavaScript, because a thread's entry cannot be TypeScript under tsx, and as little as
// possible, because each thread pays for it.
import { workerData } from 'node:worker_threads'

const { serve, tsx } = workerData.bulkhead
if (tsx) (await import(tsx)).register()
await (await import(serve)).serve()
