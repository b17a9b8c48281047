// What Piscina loads in each thread of a Pool: JavaScript, as every thread's entry, and it loads the rest.

/** @type {((call: object) => Promise<unknown>) | undefined} */
let runTask

/** @param {{ tsx?: string, run: string }} entry what to load here, and with it the call */
export default async function task({ tsx, run, ...call }) {
  if (!runTask) {
    if (tsx) (await import(tsx)).register()
    ;({ runTask } = await import(run))
  }
  return runTask?.(call)
}
