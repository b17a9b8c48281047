/** What a child is called among its siblings. */
export interface SiblingName {
  readonly label: string
  readonly ordinal: number
  /** The label, with `#2`, `#3`… from the second sibling of that label on. */
  readonly text: string
}

/** Gives each child of one parent a name that no sibling has; O(log n), however many siblings there are. */
export class SiblingNames {
  readonly #ordinals = new Map<string, Ordinals>()
  readonly #taken = new Set<string>()

  take(label: string): SiblingName {
    let ordinals = this.#ordinals.get(label)
    if (ordinals === undefined) this.#ordinals.set(label, (ordinals = new Ordinals()))
    const refused: number[] = []
    let name = numbered(label, ordinals.take())
    // A sibling whose own label is 'a#2' may hold the name that the second 'a' would get.
    while (this.#taken.has(name.text)) {
      refused.push(name.ordinal)
      name = numbered(label, ordinals.take())
    }
    for (const ordinal of refused) ordinals.release(ordinal)
    this.#taken.add(name.text)
    return name
  }

  release({ label, ordinal, text }: SiblingName): void {
    this.#taken.delete(text)
    const ordinals = this.#ordinals.get(label)
    ordinals?.release(ordinal)
    if (ordinals?.idle) this.#ordinals.delete(label)
  }
}

function numbered(label: string, ordinal: number): SiblingName {
  return { label, ordinal, text: ordinal === 1 ? label : `${label}#${ordinal}` }
}

/** Hands out 1, 2, 3…, always the smallest that is free. */
class Ordinals {
  #next = 1
  // A binary min-heap of those below #next that came back.
  readonly #free: number[] = []

  get idle(): boolean {
    return this.#free.length === this.#next - 1
  }

  take(): number {
    const free = this.#free
    const smallest = free[0]
    if (smallest === undefined) return this.#next++
    const last = free.pop()!
    if (free.length > 0) this.#sink(last)
    return smallest
  }

  release(ordinal: number): void {
    const free = this.#free
    let at = free.length
    while (at > 0) {
      const above = (at - 1) >> 1
      if (free[above]! <= ordinal) break
      free[at] = free[above]!
      at = above
    }
    free[at] = ordinal
  }

  #sink(ordinal: number): void {
    const free = this.#free
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below + 1 < free.length && free[below + 1]! < free[below]!) below++
      if (below >= free.length || free[below]! >= ordinal) break
      free[at] = free[below]!
      at = below
    }
    free[at] = ordinal
  }
}
