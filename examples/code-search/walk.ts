import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface FoundFile {
  readonly path: string
  readonly size: number
  readonly modified: number
}

/** All files in a folder, but for hidden folders. Links are not followed: a loop of them cannot trap it. */
export function* walk(folder: string): Generator<FoundFile> {
  let entries: Dirent[]
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {
    // It goes on as if it were a file: reading it fails again, and that is where it is counted.
    yield { path: folder, size: 0, modified: 0 }
    return
  }
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !entry.name.startsWith('.')) yield* walk(path)
    else if (entry.isFile()) yield look(path)
  }
}

function look(path: string): FoundFile {
  try {
    const { size, mtimeMs } = lstatSync(path)
    return { path, size, modified: mtimeMs }
  } catch {
    return { path, size: 0, modified: 0 }
  }
}
