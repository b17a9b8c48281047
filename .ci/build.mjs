// `npm run build`: what is published, into `dist` or the folder that is named. The benches are built by it, too, beside
// the library: they name a tsconfig of their own.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = resolve(root, process.argv[2] ?? 'dist')
rmSync(dist, { recursive: true, force: true })
const project = resolve(root, process.argv[3] ?? 'tsconfig.build.json')
const tsc = `${root}node_modules/typescript/bin/tsc`
const { status } = spawnSync(process.execPath, [tsc, '-p', project, '--outDir', dist], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
await bundle(`${dist}/`)
