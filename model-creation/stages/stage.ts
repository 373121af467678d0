// What the four stages share: run as a program of their own by DVC, or called in order by pipeline.ts.
import { existsSync, realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { type Params, readParams } from '../settings/params.ts'
import { FARM_PARAMS, FARM_PATHS, type PipelinePaths } from '../settings/paths.ts'
import { type Progress, terminalProgress } from './progress.ts'
import { type TableOptions } from '../../core/table/csv.ts'

export interface StageContext {
  readonly paths: PipelinePaths
  readonly params: Params
  readonly progress: Progress
  /** How raw tables are written, absent members are detected; and which of their channels to take, by default all. */
  readonly table: TableOptions & {
    readonly channels?: readonly string[] | undefined,
    readonly exclude?: readonly string[] | undefined,
  }
}

/** Whether the module was started as the program, not imported. */
export function isProgram (moduleUrl: string): boolean {
  const program = process.argv[1]
  return program !== undefined && existsSync(program) && pathToFileURL(realpathSync(program)).href === moduleUrl
}

/** Runs a stage on the farm's paths when its file was started as the program; does nothing when it was imported. */
export async function runAsProgram (moduleUrl: string, stage: (context: StageContext) => Promise<void>): Promise<void> {
  if (!isProgram(moduleUrl)) return
  const progress = terminalProgress()
  await runReporting(async () =>
    stage({ paths: FARM_PATHS, params: await readParams(FARM_PARAMS), progress, table: {} })
  )
  progress.close()
}

/** Runs a program's main job; a failure is told in one line and ends the program with status 1. */
export async function runReporting (job: () => Promise<void>): Promise<void> {
  // A reader that has seen enough, such as `head`, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => { process.exit(error.code === 'EPIPE' ? 0 : 1) })
  try {
    await job()
  } catch (error) {
    const { message, code, cause } = error as Error & { code?: string }
    process.stderr.write(`error${code === undefined ? '' : ` ${code}`}: ${message}\n`)
    // Zod's message is a list in JSON; ours has told its first entry.
    if (cause instanceof Error && cause.name !== 'ZodError' && !message.includes(cause.message)) {
      process.stderr.write(`  because: ${cause.message}\n`)
    }
    process.exitCode = 1
  }
}
