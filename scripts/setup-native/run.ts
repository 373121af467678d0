// Runs a program to its end, within a time limit, and explains a failure by its remedy.
import { spawnSync } from 'node:child_process'

export interface RunOptions {
  readonly timeoutMs: number
  /** What to do about a failure; a sentence. */
  readonly remedy: string
}

/** @throws Error naming the program, how it ended, and the remedy. */
export function run (program: string, args: readonly string[], { timeoutMs, remedy }: RunOptions): void {
  const { error, status, signal } = spawnSync(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: timeoutMs,
  })
  if (error === undefined && status === 0) return
  const end = error?.message ?? (signal === null ? `exit code ${status}` : `stopped by ${signal}`)
  throw new Error(`${program} failed (${end}). ${remedy}`, { cause: error })
}
