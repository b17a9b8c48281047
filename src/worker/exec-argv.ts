/**
 * The flags of this process, without those that a thread's entry file cannot bear: code given on the command line, and
 * tsx, which breaks a thread when inherited and is registered by the entry where it is needed.
 */
export function inheritedExecArgv(execArgv: readonly string[] = process.execArgv): string[] {
  const kept: string[] = []
  for (let i = 0; i < execArgv.length; i++) {
    const flag = execArgv[i] as string
    if (/^--input-type(=|$)/.test(flag)) {
      if (!flag.includes('=')) i++
    } else if (/^(-e|-p|-pe|--eval|--print)(=|$)/.test(flag)) {
      if (!flag.includes('=')) i++
    } else if (/^(--import|--loader|--experimental-loader|--require|-r)$/.test(flag)) {
      const value = execArgv[++i] ?? ''
      if (!isTsx(value)) kept.push(flag, value)
    } else if (!isTsx(flag)) kept.push(flag)
  }
  return kept
}

function isTsx(flag: string): boolean {
  return /(^|[=/\\])tsx([/\\.@]|$)/.test(flag)
}
