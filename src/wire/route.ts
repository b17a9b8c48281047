/** A message of ours: its tag stands in the first place. */
export type Message = readonly [tag: string, ...rest: readonly unknown[]]

/** What is done about each message, by its tag. */
export type Handlers<M extends Message> = {
  readonly [T in M[0]]: (message: Extract<M, readonly [T, ...unknown[]]>) => void
}

/**
 * The one place that tells messages apart. `comlink` is given what is in Comlink's own words, which have no tag; `strange`
 * what is neither: another version's, or something that was never meant for us.
 */
export function route(
  message: unknown,
  handlers: Readonly<Record<string, (message: never) => void>>,
  {
    comlink,
    strange,
  }: { comlink: (message: object) => void; strange?: ((message: unknown) => void) | undefined },
): void {
  if (Array.isArray(message)) {
    const tag: unknown = message[0]
    if (typeof tag === 'string' && Object.hasOwn(handlers, tag)) {
      handlers[tag]!(message as never)
    } else strange?.(message)
  } else if (typeof message === 'object' && message !== null) comlink(message)
  else strange?.(message)
}
