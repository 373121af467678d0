// Runs the training pipeline on one series, in its own process, and reads its progress from its output.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { givenEnvironment } from '../../adapters/settings/environment.ts'
import { projectRoot } from '../settings/project.ts'

interface TrainingOptions {
  /** A CSV file, or a folder of them. */
  readonly data: string
  /** Folder of the trained package. */
  readonly out: string
  /** Flags of `npm run train`. */
  readonly flags: readonly string[]
  readonly signal: AbortSignal
  readonly onStage: (stage: string) => void
  readonly onMessage: (message: string) => void
}

/** Lines of the error output that explain a failure. */
const LAST_LINES = 4

/** @throws Error with the last output of the pipeline, or the signal's reason */
export async function runTraining ({ data, out, flags, signal, onStage, onMessage }: TrainingOptions): Promise<void> {
  const fromSource = import.meta.url.endsWith('.ts')
  const program = fromSource
    ? join(projectRoot, 'model-creation/pipeline.ts')
    : join(import.meta.dirname, '../../model-creation/pipeline.js')
  const loader = fromSource ? ['--import', import.meta.resolve('tsx')] : []
  // The pipeline must not get the secrets and settings of the service.
  const { PATH, HOME, TMPDIR } = givenEnvironment()
  const child = spawn(process.execPath, [...loader, program, '--data', data, '--out', out, ...flags], {
    cwd: projectRoot,
    env: { PATH, HOME, TMPDIR },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  })
  const lines: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line)
    const stage = /^(\w+) …$/.exec(line)?.[1]
    if (stage !== undefined) onStage(stage)
    else if (line.trim() !== '') onMessage(line.trim())
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) {
    throw new Error(
      lines.slice(-LAST_LINES).map((line) => line.trim()).join(' ') || `the training ended with status ${code}`
    )
  }
}
