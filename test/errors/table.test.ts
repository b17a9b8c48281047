import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type BulkheadErrorDetails, bulkheadError } from '../../src/errors/bulkhead-error.ts'
import { type ErrorCode, MESSAGES } from '../../src/errors/codes.ts'

// Codes of Node itself, which src/ may look for.
const NODE_CODES = new Set([
  'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST',
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_WORKER_INIT_FAILED',
  'ERR_WORKER_OUT_OF_MEMORY',
  'ERR_WORKER_UNSERIALIZABLE_ERROR',
])

const root = fileURLToPath(new URL('../../', import.meta.url))
const sources = ['src', 'workers'].flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?[jt]s$/.test(name))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name !== 'src/errors/codes.ts'),
)
const literals = new Map<string, string>()
for (const file of sources) {
  for (const [, code = ''] of readFileSync(`${root}${file}`, 'utf8').matchAll(
    /['"`](ERR_[A-Z0-9_]+)['"`]/g,
  )) {
    literals.set(code, file)
  }
}

void t.test('every code of the table is used', async (t) => {
  t.strictSame(
    Object.keys(MESSAGES).filter((code) => !literals.has(code)),
    [],
    'codes that nothing throws',
  )
})

void t.test('every code that is used stands in the table', async (t) => {
  const unlisted = [...literals].filter(([code]) => !Object.hasOwn(MESSAGES, code) && !NODE_CODES.has(code))
  t.strictSame(
    unlisted.map(([code, file]) => `${code} in ${file}`),
    [],
    'codes that the table lacks',
  )
})

void t.test('no two codes say the same, and each says what it was given', async (t) => {
  const codeByMessage = new Map<string, string>()
  for (const [code, message] of Object.entries(MESSAGES)) {
    const asked: string[] = []
    const parameters = new Proxy(
      {},
      {
        get(_, name) {
          asked.push(String(name))
          return `<${String(name)}>`
        },
      },
    )
    const text = (message as (parameters: object) => string)(parameters)
    t.equal(codeByMessage.get(text), undefined, `${code} has a message of its own`)
    codeByMessage.set(text, code)
    t.ok(asked.length > 0, `${code} names what it happened to`)
    for (const name of asked) t.ok(text.includes(`<${name}>`), `${code} shows ${name}`)
    t.notMatch(text, /undefined|\[object/, `${code} is readable`)
  }
})

// What an error of each code has of its parameters; what is given besides (`cause`, the phase of a stop) is not here.
const DETAILS: Readonly<Record<ErrorCode, readonly (keyof BulkheadErrorDetails)[]>> = {
  ERR_INVALID_DURATION: [],
  ERR_INVALID_ARGUMENT: [],
  ERR_INVALID_STATE: ['service'],
  ERR_START_FAILED: ['service'],
  ERR_STOPPED_WHILE_STARTING: ['service'],
  ERR_SHUTDOWN_TIMEOUT: ['service'],
  ERR_STOP_TIMEOUT: ['service'],
  ERR_HAS_PARENT: [],
  ERR_CYCLE: [],
  ERR_NO_MODULE: [],
  ERR_NO_SUCH_EXPORT: [],
  ERR_NOT_A_SERVICE: [],
  ERR_TSX_MISSING: [],
  ERR_RESERVED_NAME: [],
  ERR_STARTED_WHILE_LOADING: [],
  ERR_START_TIMEOUT: ['service', 'phase'],
  ERR_NO_SUCH_METHOD: ['service'],
  ERR_NOT_CLONEABLE: ['service'],
  ERR_NOT_RUNNING: ['service'],
  ERR_OVERLOADED: ['service'],
  ERR_CALL_TIMEOUT: ['service'],
  ERR_SERVICE_STOPPED: ['service'],
  ERR_SERVICE_CRASHED: ['service'],
  ERR_THREAD_EXITED: ['service', 'exitCode'],
  ERR_THREAD_OUT_OF_MEMORY: ['service'],
  ERR_THREAD_HUNG: ['service'],
  ERR_MAX_RESTARTS: ['service'],
}

void t.test('an error has the details that its code has, and no others', async (t) => {
  for (const [code, details] of Object.entries(DETAILS)) {
    const asked: Record<string, string> = {}
    const parameters = new Proxy(asked, {
      get: (_, name) => (asked[String(name)] = `<${String(name)}>`),
    })
    MESSAGES[code as ErrorCode](parameters as never)
    const error = bulkheadError(code as ErrorCode, asked as never)
    t.strictSame(Object.keys(error), ['code', ...details], code)
    for (const name of details) t.equal((error as BulkheadErrorDetails)[name], `<${name}>`)
  }
})
