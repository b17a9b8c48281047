// The words of Comlink that cross: any Comlink client can speak them to a service.

/** Comlink's message for a call, as far as handles use it. */
export interface ComlinkCall {
  readonly id: number
  readonly type: 'APPLY'
  readonly path: readonly [method: string]
  readonly argumentList: readonly WireValue[]
}

export type WireValue =
  | { readonly type: 'RAW'; readonly value: unknown }
  | { readonly type: 'HANDLER'; readonly name: string; readonly value: unknown }

export type ComlinkReply = WireValue & { readonly id: number }
