// Runs a program as a child process within a time limit. Its output goes to stderr as it comes; its stdout is returned
// at the end.
import { type ChildProcess, spawn } from 'node:child_process'
import { Problem, type ProblemCode, PROBLEMS } from '../../core/errors.ts'

interface ProgramCommand {
  /** Name for error messages, e.g. `dvc repro`. */
  readonly what: string
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly limitMs: number
  readonly signal?: AbortSignal | undefined
}

/** Time between SIGTERM and SIGKILL. */
const END_MS = 10_000

/**
 * @returns its stdout
 * @throws Problem if it fails, takes too long or is aborted: with the program's own code, or internal-error
 */
export async function runProgram ({ what, program, args, env, limitMs, signal }: ProgramCommand): Promise<string> {
  // A process group of its own, so that its children end with it.
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const printed = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      printed[stream] += text
      process.stderr.write(text)
    })
  }
  const limit = AbortSignal.timeout(limitMs)
  const ended = await outcomeOf(child, AbortSignal.any([limit, ...(signal === undefined ? [] : [signal])]))
  if (ended === 0) return printed.stdout
  if (limit.aborted) {
    throw new Problem('internal-error', `${what} took longer than ${limitMs / 60_000} minutes and was ended.`)
  }
  if (signal?.aborted === true) throw new Problem('internal-error', `${what} was stopped.`)
  throw failure(what, ended, printed.stderr)
}

/** The exit status, the signal that ended it, or the reason why it did not start. */
async function outcomeOf (child: ChildProcess, stop: AbortSignal): Promise<number | string> {
  const end = (): void => {
    kill(child, 'SIGTERM')
    setTimeout(() => { kill(child, 'SIGKILL') }, END_MS).unref()
  }
  stop.addEventListener('abort', end)
  try {
    return await new Promise((resolve) => {
      child.once('error', (error) => { resolve(error.message) })
      child.once('close', (code, signal) => { resolve(code ?? signal ?? 'unknown') })
      if (stop.aborted) end()
    })
  } finally {
    stop.removeEventListener('abort', end)
  }
}

function kill ({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // All processes of the group have ended.
  }
}

/** Programs of this project end with `error code: sentence`, others with a similar line. */
function failure (what: string, ended: number | string, stderr: string): Problem {
  const lines = stderr.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => line !== '')
  const [, code, sentence] = lines.map((line) => /^error ([a-z-]+): (.*)$/.exec(line)).findLast(Boolean) ?? []
  const reason = sentence ?? lines.findLast((line) => /^error/i.test(line)) ?? lines.at(-1) ?? `it ended with ${ended}`
  return new Problem(
    code !== undefined && code in PROBLEMS ? code as ProblemCode : 'internal-error',
    `${what} failed: ${reason}`
  )
}
