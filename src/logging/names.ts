import { posix, win32 } from 'node:path'

const URL_OR_PATH = /^(?:[a-z][a-z\d+.-]*:\/\/|[a-z]:[\\/]|\.{0,2}\/|\.{0,2}\\)/i

/**
 * The name of a logger. Of a URL or a path, the file's base name without extension, or the folder's name if that is
 * `index`; anything else is a name already.
 */
export function loggerName(source: string | URL): string {
  const text = String(source)
  if (!URL_OR_PATH.test(text)) return text
  const path = pathOf(text)
  const file = posix.parse(path)
  if (file.name !== 'index') return file.name || text
  return posix.basename(file.dir) || file.name
}

function pathOf(text: string): string {
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(text)) return text.split(win32.sep).join(posix.sep)
  try {
    return decodeURIComponent(new URL(text).pathname)
  } catch {
    // Not a URL after all, or with a stray % in it: what can be read of it still names the logger.
    return text.replace(/[?#].*$/s, '')
  }
}
