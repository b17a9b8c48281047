import { readFileSync } from 'node:fs'
import type { CommandName } from './args.ts'

const MODULE = `<module> is a file, JavaScript or (with tsx installed) TypeScript. Its default export is a Service (an
instance or a class), an array of services, a handle from isolate(), a Supervisor, a Host, or a
function that returns one of these, also async. A function is called with [args...] as a string[].`

const TOP = `bulkhead: runs long-lived services, each inline or in a worker thread of its own

Usage: bulkhead <command> <module> [options] [args...]

Commands:
  run      run the services of a module until a signal or a crash
  graph    print the graph of the services
  bench    measure how long they take to start and to stop

Options:
  -h, --help       this text; "bulkhead <command> --help" tells more
  -v, --version    the version of bulkhead`

const TOPICS: Readonly<Record<CommandName, string>> = {
  run: `Usage: bulkhead run <module> [options] [args...]

Starts the services of a module, waits for SIGINT or SIGTERM, and stops them. SIGUSR2 prints the live
tree to stderr. A second signal exits at once.

${MODULE}
Arguments that begin with a dash go after "--".

Options:
  --inline              run isolated services on this thread (BULKHEAD_ISOLATION=inline)
  --log-level <level>   trace, debug, info, warn, error, fatal or silent
  --stop-timeout <d>    how long a shutdown may take, such as 500ms or 10s (25s)
  --report <kind>       how each service stopped: text on stderr (the default), json as the last line
                        on stdout, svg as a picture in the file of --out, or none
  --out <file>          write the report to this file instead
  -h, --help            this text

Exit codes: 0 stopped as asked; 1 the module could not be loaded or started, crashed, or did not stop
as it should, or the report could not be written; 2 the command line is wrong; 128 + n a second
signal.`,
  graph: `Usage: bulkhead graph <module> [options] [args...]

Starts the services of a module, prints their graph on stdout, and stops them. Log lines from warn on
go to stderr.

${MODULE}

Options:
  --format <format>   tree (the default), mermaid or dot
  --no-start          print what is known before the start
  --inline            run isolated services on this thread (BULKHEAD_ISOLATION=inline)
  -h, --help          this text`,
  bench: `Usage: bulkhead bench <module> [options] [args...]

Starts and stops the services of a module again and again, each time in a fresh process, and prints
how long it took: p50, p90 and p99, per service and phase; how the totals are spread; and what the
shutdown of the median run waited for. Loading the module is not counted, nor is a first run that
warms up the machine.

${MODULE}

Options:
  --runs <n>         how many times (10)
  --json             print JSON, times in milliseconds: what --compare reads
  --compare <file>   what has become faster or slower since the result in this file, beyond the noise
  --fail-over <d>    exit with 1 if the p99 of the shutdown, of less than 100 runs the slowest, is
                     longer than this, such as 500ms
  --inline           run isolated services on this thread (BULKHEAD_ISOLATION=inline)
  -h, --help         this text

Exit codes: 0 measured; 1 a run failed, a file could not be read, or the shutdown was longer than
--fail-over; 2 the command line is wrong.`,
}

export function usage(topic: CommandName | undefined): string {
  return topic === undefined ? TOP : TOPICS[topic]
}

/** The version of the package, which stands two levels up from the sources and three from what is built of them. */
export function version(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (name === 'bulkhead' && version !== undefined) return version
    } catch {
      // The other place.
    }
  }
  return 'unknown'
}
