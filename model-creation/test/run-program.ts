// Runs one of model-creation's programs as a user would, in a process of its own.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** The test runner's loader and coverage are not for the program under test, and what it trains is recorded nowhere. */
const { NODE_OPTIONS: _, MLFLOW_TRACKING_URI: __, ...env } = process.env

/** @param program file of model-creation, e.g. `pipeline.ts`; ended after a minute */
export async function runProgram (program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const file = join(dirname(import.meta.dirname), program)
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', TSX, file, ...args],
      { cwd, env, timeout: 60_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
      }
    )
  })
}
