// The libraries that bench/peers.ts compares with: in a folder of their own, since nothing else needs them.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('peers/', import.meta.url)

export function arePeersInstalled(): boolean {
  const installed = new URL('node_modules/.package-lock.json', folder)
  const wanted = new URL('package-lock.json', folder)
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs
}

/** One that could not be installed is left out by the bench, which says so. */
export function installPeers(): void {
  if (arePeersInstalled()) return
  console.error('Installing what bench/peers/package-lock.json names…')
  const { status, error } = spawnSync(
    'npm',
    ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'],
    { cwd: fileURLToPath(folder), stdio: ['ignore', 2, 2], shell: process.platform === 'win32' },
  )
  if (status !== 0) console.error(`npm install failed${error ? `: ${error.message}` : ''}`)
}
