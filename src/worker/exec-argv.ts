// Flags that Node takes for a single thread; others are for the whole process, which a thread shares anyway, and a list
// that names one of them is refused.
const OF_A_THREAD =
  /^--(import|require|loader|conditions|enable-source-maps|(no-)?warnings|disable-warning|(trace|no|throw|pending)-(warnings|deprecation)|unhandled-rejections|preserve-symlinks(-main)?|(no-)?experimental-[a-z-]+)(=|$)|^-[rC]$/
const TAKES_A_VALUE =
  /^(--(import|require|loader|experimental-loader|conditions|input-type|eval|print)|-[rCep]|-pe)$/

/**
 * The flags a new thread is to have, or undefined for those of this process as they are. Left out is what a thread's
 * entry file cannot bear: code given on the command line, and tsx, which breaks a thread when inherited and is
 * registered by the entry where it is needed.
 */
export function inheritedExecArgv(execArgv: readonly string[] = process.execArgv): string[] | undefined {
  const kept: string[] = []
  let hasUnbearable = false
  for (let i = 0; i < execArgv.length; i++) {
    const flag = execArgv[i] as string
    const value = TAKES_A_VALUE.test(flag) ? execArgv[++i] : undefined
    if (/^(--input-type|--eval|--print|-e|-p|-pe)(=|$)/.test(flag) || isTsx(value ?? flag))
      hasUnbearable = true
    else if (OF_A_THREAD.test(flag)) kept.push(flag, ...(value === undefined ? [] : [value]))
  }
  return hasUnbearable ? kept : undefined
}

function isTsx(flag: string): boolean {
  return /(^|[=/\\])tsx([/\\.@]|$)/.test(flag)
}
