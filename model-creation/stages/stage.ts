// Shared by the four stages: DVC runs each as a program, pipeline.ts calls them in order.
import { existsSync, realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { type Params, readParams } from '../settings/params.ts'
import { FARM_PARAMS, FARM_PATHS, type PipelinePaths } from '../settings/paths.ts'
import { type TableOptions } from '../../core/table/csv.ts'
import { type Progress, terminalProgress } from './progress.ts'

export interface StageContext {
  readonly paths: PipelinePaths
  readonly params: Params
  readonly progress: Progress
  /** The format of raw tables (absent members are detected), and the channels to read (default: all). */
  readonly table: TableOptions & {
    readonly channels?: readonly string[] | undefined,
    readonly exclude?: readonly string[] | undefined,
  }
}

/** Whether the module is the program that was started, not an import. */
export function isProgram (moduleUrl: string): boolean {
  const program = process.argv[1]
  return program !== undefined && existsSync(program) && pathToFileURL(realpathSync(program)).href === moduleUrl
}

/** Runs a stage on the farm's paths if its file is the program that was started; does nothing on import. */
export async function runAsProgram (moduleUrl: string, stage: (context: StageContext) => Promise<void>): Promise<void> {
  if (!isProgram(moduleUrl)) return
  const progress = terminalProgress()
  await runReporting(async () =>
    stage({ paths: FARM_PATHS, params: await readParams(FARM_PARAMS), progress, table: {} })
  )
  progress.close()
}

/** Runs a program's main job. On failure, prints one line and ends the program with status 1. */
export async function runReporting (job: () => Promise<void>): Promise<void> {
  // A reader that closes the pipe early, such as `head`, is not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => { process.exit(error.code === 'EPIPE' ? 0 : 1) })
  try {
    await job()
  } catch (error) {
    const { message, code, cause } = error as Error & { code?: string }
    process.stderr.write(`error${code === undefined ? '' : ` ${code}`}: ${message}\n`)
    // Skip Zod's message, a list in JSON: our message already names its first entry.
    if (cause instanceof Error && cause.name !== 'ZodError' && !message.includes(cause.message)) {
      process.stderr.write(`  because: ${cause.message}\n`)
    }
    process.exitCode = 1
  }
}
