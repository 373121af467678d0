// The part that all programs of the stream share: reads settings from the environment, runs the step, serves /livez,
// /readyz and /metrics, and shuts down on a signal.
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { readEnvironment } from '../../adapters/settings/environment.ts'
import { parseSettings } from '../../adapters/settings/values.ts'
import { openTracer } from '../../adapters/telemetry/open-tracer.ts'
import { traceRequests } from '../../adapters/telemetry/requests.ts'
import { TELEMETRY_SETTINGS } from '../../adapters/telemetry/settings.ts'
import { SERVICE_NAME } from '../../adapters/telemetry/spans.ts'
import type { Log } from '../messages/log.ts'
import { openLog } from '../adapters/open-log.ts'
import { LOG_SETTINGS } from '../settings/log.ts'
import { PROCESS_SETTINGS } from '../settings/process.ts'
import { StepMetrics } from './metrics.ts'
import { addOperation } from './operation.ts'
import { type RunningStep, runStep } from './run-step.ts'
import type { StepKind } from './step.ts'

const COMMON_SETTINGS = { ...PROCESS_SETTINGS, ...LOG_SETTINGS, ...TELEMETRY_SETTINGS }
type Settings<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape & typeof COMMON_SETTINGS>>

interface Context {
  readonly log: Log
  readonly logger: FastifyBaseLogger
  readonly metrics: StepMetrics
  /** Aborts on SIGTERM and SIGINT. */
  readonly stopped: AbortSignal
  /** For routes of the program's own, beside those that every program has. */
  readonly app: FastifyInstance
}

/** What a program runs. */
interface Running {
  readonly kind?: StepKind
  /** Consumer group. Default: the name of the step. */
  readonly group?: string
  readonly from?: 'earliest' | 'latest'
  /** What the program still waits for, beside the log. */
  waitingFor? (): string | undefined
  /** Called on SIGHUP. */
  refresh? (): Promise<void>
  close? (): Promise<void>
}

interface Program<Shape extends z.ZodRawShape> {
  readonly name: string
  readonly settings: Shape
  readonly port: (settings: Settings<Shape>) => number
  /** @throws Problem if the settings do not work */
  open (settings: Settings<Shape>, context: Context): Promise<Running>
}

/** Runs until the end of the process. Exit code: 0 after SIGTERM or SIGINT, else 1 with a sentence on stderr. */
export async function runStepProgram<Shape extends z.ZodRawShape> (program: Program<Shape>): Promise<void> {
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stopped.abort() })
  try {
    const settings = parseSettings(
      z.object({ ...COMMON_SETTINGS, ...program.settings }),
      readEnvironment()
    ) as Settings<Shape>
    await serve(program, settings, stopped.signal)
  } catch (error) {
    process.stderr.write(`${error instanceof Problem ? `${error.code}: ` : ''}${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

async function serve<Shape extends z.ZodRawShape> (
  program: Program<Shape>,
  settings: Settings<Shape>,
  stopped: AbortSignal
): Promise<void> {
  const common = settings as z.output<z.ZodObject<typeof COMMON_SETTINGS>>
  const app = Fastify({
    logger: { level: common.LOG_LEVEL, base: { step: program.name } },
    logController: new LogController({ disableRequestLogging: true }),
  })
  const tracer = await openTracer(`${SERVICE_NAME}-${program.name}`, common, (problem) => {
    app.log.warn({ problem }, 'spans cannot be sent')
  })
  traceRequests(app, tracer)
  const metrics = new StepMetrics(program.name)
  metrics.ofProcess()
  metrics.watch(app)
  const log = await openLog(common, app.log)
  const opened: { running?: Running, step?: RunningStep | undefined } = {}
  try {
    const running = opened.running = await program.open(settings, { log, logger: app.log, metrics, stopped, app })
    const step = opened.step = running.kind &&
      await runStep({
        ...running,
        kind: running.kind,
        log,
        metrics,
        tracer,
        checkpointMs: common.CHECKPOINT_MS,
        now: Date.now,
        logger: app.log,
      })
    addOperation(app, metrics, { waitingFor: () => running.waitingFor?.() ?? step?.waitingFor() })
    process.on('SIGHUP', () => { running.refresh?.().catch(() => {}) })
    await app.listen({ port: program.port(settings), host: common.STREAM_HOST })
    await Promise.race([step?.ended ?? new Promise(() => {}), aborted(stopped)])
  } finally {
    setTimeout(() => { process.exit(1) }, common.SHUTDOWN_GRACE_MS).unref()
    await app.close()
    await opened.step?.close()
    await opened.running?.close?.()
    await log.close()
    await tracer?.close()
  }
}

async function aborted (signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve() }) })
}
