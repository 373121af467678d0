// Runs one of model-creation's programs as a user would: in its own process, or quicker in this one.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { runReporting } from '../stages/stage.ts'

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** Without the test runner's loader and coverage, and without a tracking server. */
const { NODE_OPTIONS: _, MLFLOW_TRACKING_URI: __, ...env } = process.env

/** Runs a file of model-creation, e.g. `pipeline.ts`, in its own process, and kills it after a minute. */
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

/** The `main` of a program. */
type Main = (args: readonly string[], print: (text: string) => void, stderr: Writable) => Promise<void>

/** Stands for the end of a process. */
class Exit extends Error {
  readonly code: number

  constructor (code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/** Runs a program's main job in this process: saves the seconds that a new process takes to load the modules. */
export async function runHere (main: Main, args: readonly string[], cwd: string): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' }
  const stderr = new Writable({
    write (chunk: Buffer, _, done) {
      texts.stderr += chunk.toString()
      done()
    },
  })
  const { exit, exitCode, stderr: { write } } = process
  const before = process.cwd()
  let code = 0
  process.exitCode = undefined
  process.exit = (status) => { throw new Exit(Number(status)) }
  process.stderr.write = (chunk: string | Uint8Array) => stderr.write(chunk)
  process.chdir(cwd)
  try {
    await runReporting(async () => {
      await main(args, (text) => { texts.stdout += text }, stderr).catch((error: unknown) => {
        if (!(error instanceof Exit)) throw error
        code = error.code
      })
    })
    code = Number(process.exitCode ?? code)
  } finally {
    process.chdir(before)
    Object.assign(process.stderr, { write })
    Object.assign(process, { exit, exitCode })
  }
  return { code, ...texts }
}
