import { plain } from './rows.ts'

// No font is at hand to measure with: a little wider than most, for text must not run into what stands beside it.
const EM_PER_CHARACTER = 0.57
const EM_PER_WIDE_CHARACTER = 1.05
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Fit for an element or an attribute. XML knows no control characters and no halves of pairs, not even escaped. */
export function escaped(text: string): string {
  return plain(text)
    .replaceAll(/[\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
}

export function widthOf(text: string, size: number): number {
  let ems = 0
  for (const character of text) ems += WIDE.test(character) ? EM_PER_WIDE_CHARACTER : EM_PER_CHARACTER
  return ems * size
}

/** As much of the text as there is room for, in pixels. */
export function fitted(text: string, room: number, size: number): string {
  if (widthOf(text, size) <= room) return text
  let kept = ''
  for (const character of text) {
    if (widthOf(`${kept}${character}…`, size) > room) break
    kept += character
  }
  return `${kept.trimEnd()}…`
}

/** In lines no longer than the room; what does not go into `most` of them is left out. */
export function linesOf(text: string, room: number, size: number, most: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer, size) > room) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
    if (lines.length === most) break
  }
  if (lines.length < most) lines.push(line)
  else lines[most - 1] += '…'
  return lines.map((one) => fitted(one, room, size))
}

/** A coordinate: finite, and no longer than is needed. */
export function px(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100 + 0) : '0'
}

export interface TextStyle {
  /** Of the style sheet. */
  readonly of: string
  /** 12 if nothing is said. */
  readonly size?: number
  readonly anchor?: 'middle' | 'end'
  readonly bold?: boolean
}

export function textAt(x: number, y: number, text: string, { of, size, anchor, bold }: TextStyle): string {
  const more = [
    size === undefined ? '' : ` font-size="${size}"`,
    anchor === undefined ? '' : ` text-anchor="${anchor}"`,
    bold ? ' font-weight="600"' : '',
  ]
  return `<text class="bh-${of}" x="${px(x)}" y="${px(y)}"${more.join('')}>${escaped(text)}</text>`
}

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export function box(of: string, { x, y, width, height }: Box, tip?: string): string {
  const shape = `<rect class="bh-${of}" x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"`
  return tip === undefined ? `${shape}/>` : `${shape}><title>${escaped(tip)}</title></rect>`
}
