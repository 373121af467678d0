// Runs a command as a user would, within a time limit, and tells what it printed.
import { execFile } from 'node:child_process'

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Where {
  readonly cwd: string
  /** Besides the variables that every program needs. */
  readonly env?: Readonly<Record<string, string>>
  readonly seconds?: number
}

/**
 * Nothing of this process' environment but these: no credentials of the person who tests, no settings of the test
 * runner.
 */
const KEPT = ['PATH', 'HOME', 'TMPDIR', 'LANG']

export async function run (
  program: string,
  args: readonly string[],
  { cwd, env = {}, seconds = 300 }: Where
): Promise<Finished> {
  const kept = Object.fromEntries(
    KEPT.flatMap((name) => process.env[name] === undefined ? [] : [[name, process.env[name]]])
  )
  return new Promise((resolve) => {
    execFile(program, args, {
      cwd,
      env: { ...kept, NO_COLOR: '1', ...env },
      timeout: 1000 * seconds,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024 * 1024,
    }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })
}

/** @throws Error with what was printed where the command fails */
export async function succeed (program: string, args: readonly string[], where: Where): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, where)
  if (code === 0) return stdout
  throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`)
}
