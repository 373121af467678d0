// The whole stream in the process of another program: the same steps as elsewhere. Without Kafka, the log is in memory;
// without another database, the database is a file.
import type { FastifyBaseLogger, FastifyContextConfig, FastifyInstance } from 'fastify'
import { AggregatorRegistry } from 'prom-client'
import { z } from 'zod'
import { openStore } from '../../adapters/registry/open-store.ts'
import { parseSettings, wholeNumber } from '../../adapters/settings/values.ts'
import type { Tracer } from '../../adapters/telemetry/spans.ts'
import { addCollector } from '../steps/collector/app.ts'
import { annotateInto } from '../steps/dashboard/annotate.ts'
import { addDashboard, type DashboardDependencies } from '../steps/dashboard/app.ts'
import { LiveFeed } from '../steps/dashboard/live-feed.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../adapters/open-database.ts'
import type { Log } from '../messages/log.ts'
import { MemoryLog } from '../adapters/memory/memory-log.ts'
import { openLog } from '../adapters/open-log.ts'
import { StepMetrics } from '../runtime/metrics.ts'
import { type RunningStep, runStep } from '../runtime/run-step.ts'
import { COLLECTOR_SETTINGS } from '../settings/collector.ts'
import { DATABASE_SETTINGS } from '../settings/database.ts'
import { IMPUTER_SETTINGS } from '../settings/imputer.ts'
import { LOG_SETTINGS } from '../settings/log.ts'
import { MODEL_SETTINGS } from '../settings/models.ts'
import { PROCESS_SETTINGS } from '../settings/process.ts'
import { SCORER_SETTINGS } from '../settings/scorer.ts'
import type { StepKind } from '../runtime/step.ts'

export const EMBEDDED_SETTINGS = {
  STREAM: z.enum(['on', 'off']).default('on').describe(
    'Whether `npm start` runs the stream and shows the live fleet at /.'
  ),
  STREAM_DEMO: z.enum(['on', 'off']).default('on').describe(
    'Whether it plays a simulated fleet; off: observations come by POST /observations only.'
  ),
  STREAM_DEMO_SERIES: wholeNumber(1, 99).default(12).describe('Turbines of the simulated fleet.'),
  STREAM_DEMO_SPEED: wholeNumber(1, 1_000_000).default(600).describe(
    'Seconds of simulated time that pass in a second.'
  ),
}

const SETTINGS = {
  ...PROCESS_SETTINGS,
  ...LOG_SETTINGS,
  ...MODEL_SETTINGS,
  ...IMPUTER_SETTINGS,
  ...SCORER_SETTINGS,
  ...DATABASE_SETTINGS,
  ...COLLECTOR_SETTINGS,
  ...EMBEDDED_SETTINGS,
}
type StreamSettings = z.output<z.ZodObject<typeof SETTINGS>>
type Logger = Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>

/** Options of the surrounding app for the routes. */
interface MountOptions {
  /** Route options of POST /observations. */
  readonly config: FastifyContextConfig
  readonly admits: NonNullable<DashboardDependencies['admits']>
  readonly links: NonNullable<DashboardDependencies['links']>
}

/** With two partitions, a wait in one of them does not hold up all series. */
const PARTITIONS = 2

/** @throws Problem invalid-settings, log-unavailable */
export async function openEmbeddedStream (
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
  tracer?: Tracer
): Promise<EmbeddedStream> {
  const settings = parseSettings(z.object(SETTINGS), env)
  const log = settings.KAFKA_BROKERS.length > 0
    ? await openLog(settings, logger)
    : new MemoryLog({ partitions: PARTITIONS })
  return new EmbeddedStream(settings, { log, database: await openDatabase(settings), logger, tracer })
}

interface Connections {
  readonly log: Log
  readonly database: Database
  readonly logger: Logger
  readonly tracer: Tracer | undefined
}

export class EmbeddedStream {
  readonly #settings: StreamSettings
  readonly #log: Log
  readonly #database: Database
  readonly #logger: Logger
  readonly #tracer: Tracer | undefined
  readonly #live: LiveFeed
  readonly #stopped = new AbortController()
  readonly #steps: RunningStep[] = []
  readonly #metrics: StepMetrics[] = []
  #model: { close (): Promise<void> } | undefined
  #started: Promise<void> = Promise.resolve()
  #played: Promise<void> = Promise.resolve()

  constructor (settings: StreamSettings, { log, database, logger, tracer }: Connections) {
    this.#settings = settings
    this.#log = log
    this.#database = database
    this.#logger = logger
    this.#tracer = tracer
    this.#live = new LiveFeed(database)
  }

  /** Adds the page at `/`, /live/…, POST /observations and /stream/metrics. Call it before the app listens. */
  async mount (app: FastifyInstance, { config, admits, links }: MountOptions): Promise<void> {
    const { MODEL_REGISTRY: location } = this.#settings
    const store = await openStore('MODEL_REGISTRY', location, this.#settings)
    app.addHook('onClose', async () => {
      store.close()
    })
    await addDashboard(app, {
      database: this.#database,
      live: this.#live,
      annotate: annotateInto({ log: this.#log, store }),
      page: '/',
      admits,
      links,
    })
    await addCollector(app, {
      log: this.#log,
      settings: this.#settings,
      metrics: this.#metricsOf('collector'),
      now: Date.now,
    }, { config })
    app.get(
      '/stream/metrics',
      { schema: { hide: true } as object },
      async (_, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await this.#metricsText())
    )
  }

  /** Starts the steps once the registry has a live model. Never rejects: it logs failures. */
  async start (): Promise<void> {
    this.#started = this.#start().catch((error: unknown) => { this.#logEnd(error as Error) })
    await this.#started
  }

  async #start (): Promise<void> {
    const { signal } = this.#stopped
    const { openSteps, playDemo } = await import('./embedded-steps.ts')
    if (signal.aborted) return
    const settings = this.#settings
    const { model, kinds } = await openSteps(settings, {
      database: this.#database,
      feed: this.#live,
      logger: this.#logger,
    })
    this.#model = model
    for (const { kind, from } of kinds) await this.#run(kind, from)
    if (settings.STREAM_DEMO === 'off') return
    this.#played = playDemo(this.#log, this.#database, this.#metricsOf('generator'), {
      speed: settings.STREAM_DEMO_SPEED,
      series: settings.STREAM_DEMO_SERIES,
      maxWaiting: settings.COLLECTOR_MAX_WAITING,
      signal,
    })
      .catch((error: unknown) => { this.#logEnd(error as Error) })
  }

  async close (): Promise<void> {
    this.#stopped.abort()
    // close() may come while the stream is still starting.
    await this.#started
    await this.#played
    for (const step of this.#steps) await step.close()
    await this.#model?.close()
    await this.#log.close()
    await this.#database.close()
  }

  async #run (kind: StepKind, from: 'earliest' | 'latest'): Promise<void> {
    const step = await runStep({
      kind,
      from,
      log: this.#log,
      metrics: this.#metricsOf(kind.name),
      tracer: this.#tracer,
      checkpointMs: this.#settings.CHECKPOINT_MS,
      now: Date.now,
      logger: this.#logger,
    })
    step.ended.catch((error: unknown) => { this.#logEnd(error as Error) })
    this.#steps.push(step)
  }

  /** All steps have the same metrics; the label `step` tells them apart. */
  async #metricsText (): Promise<string> {
    const perStep = await Promise.all(this.#metrics.map(async ({ registry }) => registry.getMetricsAsJSON()))
    return AggregatorRegistry.aggregate(perStep).metrics()
  }

  #metricsOf (step: string): StepMetrics {
    const metrics = new StepMetrics(step)
    this.#metrics.push(metrics)
    return metrics
  }

  #logEnd (error: Error): void {
    if (!this.#stopped.signal.aborted) this.#logger.error({ err: error }, 'the stream has ended')
  }
}
