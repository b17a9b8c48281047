// What package-lock.json must hold, and the lock file that is made of it for a program that has installed the package.

/**
 * @typedef {Readonly<Record<string, string>>} Ranges
 * @typedef {{
 *   readonly name?: string, readonly version?: string, readonly resolved?: string, readonly integrity?: string,
 *   readonly dev?: boolean, readonly dependencies?: Ranges, readonly devDependencies?: Ranges,
 *   readonly optionalDependencies?: Ranges
 * }} Entry what the lock file says of one package
 * @typedef {{ readonly packages: Readonly<Record<string, Entry>> }} Lock
 */

/**
 * The entry that `name` means to the package at `place`: the nearest one, as Node looks it up.
 * @param {Lock} lock
 * @param {string} place
 * @param {string} name
 */
function locate({ packages }, place, name) {
  for (let folder = place; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const found = `${folder}${folder === '' ? '' : '/'}node_modules/${name}`
    if (found in packages) return found
    if (folder === '') return undefined
  }
}

/** @param {Entry} entry */
const needs = ({ dependencies, devDependencies, optionalDependencies }) =>
  Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })

/**
 * Why `npm ci` would refuse the lock file on some platform, or install from somewhere else. npm itself writes such a
 * file where `node_modules` is already there: it keeps the optional packages of that one platform.
 * @param {Lock} lock
 * @returns {string[]}
 */
export function problemsOfLock(lock) {
  return Object.entries(lock.packages).flatMap(([place, entry]) => {
    const problems = needs(entry)
      .filter((name) => locate(lock, place, name) === undefined)
      .map((name) => `${place} needs ${name}, which has no entry`)
    if (place !== '' && entry.integrity === undefined) problems.push(`${place} has no integrity`)
    if (!(entry.resolved ?? REGISTRY).startsWith(REGISTRY))
      problems.push(`${place} is from ${entry.resolved}`)
    return problems
  })
}

const REGISTRY = 'https://registry.npmjs.org/'

/**
 * `package.json` and `package-lock.json` of a program that depends on a tarball of this package, and on `others` of its
 * development, all in the versions of `lock`: `npm ci` installs these, whatever has been published since.
 * @param {Lock} lock
 * @param {{ readonly file: string, readonly integrity: string }} tarball
 * @param {readonly string[]} others
 */
export function lockedProgram(lock, { file, integrity }, others) {
  const { devDependencies, ...own } = lock.packages[''] ?? {}
  const dependencies = {
    ...Object.fromEntries(others.map((name) => [name, devDependencies?.[name] ?? '*'])),
    [own.name ?? '']: `file:${file}`,
  }
  /** @type {Record<string, Entry>} */
  const packages = {
    '': { dependencies },
    [`node_modules/${own.name}`]: { ...own, resolved: `file:${file}`, integrity },
  }
  /** @type {(place: string, names: readonly string[]) => void} */
  const add = (place, names) => {
    for (const name of names) {
      const found = locate(lock, place, name)
      if (found === undefined || found in packages) continue
      const { dev: _, ...entry } = lock.packages[found] ?? {}
      packages[found] = entry
      add(found, needs(entry))
    }
  }
  add('', [...needs(own), ...others])
  return { manifest: { dependencies }, lock: { lockfileVersion: 3, requires: true, packages } }
}
