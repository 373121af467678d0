// Runs the service, embedded (serve) or as a program (runService): it listens at once, loads the models, and closes
// within a grace time.
import { setFlagsFromString } from 'node:v8'
import type { FastifyBaseLogger, FastifyInstance, FastifyServerOptions } from 'fastify'
import { Problem } from '../core/errors.ts'
import { readEnvironment } from '../adapters/settings/environment.ts'
import { openTracer } from '../adapters/telemetry/open-tracer.ts'
import { SERVICE_NAME } from '../adapters/telemetry/spans.ts'
import { isLoopback } from '../adapters/http/exposure.ts'
import type { Extension } from './app.ts'
import { type Config, readConfig } from './settings/config.ts'
import { loggerOptions } from './logging.ts'
import type { Engines } from './engine/engines.ts'
import type { ModelLifecycle } from './models/model-lifecycle.ts'
import { PackageCache } from './packages/package-cache.ts'
import { ServedModels } from './packages/served-models.ts'
import { ShadowTally } from './models/shadow-tally.ts'
import type { ModelSource } from './packages/model-source.ts'
import { refuseOpenService } from './settings/access.ts'
import type { TaskIntake } from './tasks/task-intake.ts'
import { WorkerPool } from './workers/pool.ts'
import type { Scorer } from './workers/scorer.ts'

export interface RunningService {
  readonly url: string
  /** Looks for new versions of models now. Never rejects. */
  refresh (): Promise<void>
  /** Fulfilled once the models are loaded and proved; rejected with the Problem that prevents it. */
  readonly ready: Promise<void>
  /** Stops listening and waits for running requests, but at most for the grace time. */
  close (): Promise<void>
}

interface ServeOptions {
  /** pino options of Fastify, or false; default: JSON lines at the configured level, without secrets. */
  readonly logger?: FastifyServerOptions['logger']
  /** Runs before the models are loaded, e.g. to train them. Called when the service listens. */
  readonly prepare?: (() => Promise<void>) | undefined
  readonly extension?: Extension | undefined
  /** Scores the requests; default: worker threads. */
  readonly scorer?: Scorer
  /** Sources of models; default: those of the settings. */
  readonly sources?: readonly ModelSource[]
}

/** The parts of a service. Those in `running` are undefined until they are opened. */
interface Parts {
  readonly app: FastifyInstance
  readonly models: ServedModels
  readonly engineModules: EngineModules | undefined
  readonly tracer: Awaited<ReturnType<typeof openTracer>>
  /** TensorFlow.js's version, once a thread has started. */
  readonly thread: Promise<string>
  readonly running: { log?: FastifyBaseLogger, lifecycle?: ModelLifecycle, intake?: TaskIntake, engines?: Engines }
}

/**
 * @throws Problem invalid-settings if the address or port is not available, or if other machines could reach the
 * service without a key
 */
export async function serve (config: Config, options: ServeOptions = {}): Promise<RunningService> {
  refuseOpenService(config)
  const parts = await build(config, options)
  const { app, running } = parts
  const url = await listen(app, config)
  if (config.access.auth === 'off' && !isLoopback(config.host)) {
    app.log.warn({ host: config.host }, 'API_AUTH is off: everybody who reaches this address may use the service')
  }
  const state = { closing: false }
  const ready = becomeReady(parts, { config, url, prepare: options.prepare, isClosing: () => state.closing })
  // Logs the failure even if the caller does not wait for `ready`.
  ready.catch((error: unknown) => { if (!state.closing) logFailure(app.log, error) })
  const close = async (): Promise<void> => {
    state.closing = true
    // In this order: an engine that still dispatches gets an answer, and tasks that still run have threads.
    await running.engines?.withdraw()
    await running.intake?.close(config.shutdownGraceMs)
    await closeWithin(config.shutdownGraceMs, () => app.close(), () => { app.server.closeAllConnections() })
    await parts.tracer?.close()
  }
  return { url, ready, close, refresh: async () => running.lifecycle?.follower.refresh() }
}

async function build (config: Config, options: ServeOptions): Promise<Parts> {
  const { logger = loggerOptions(config.logLevel), extension } = options
  const models = new ServedModels(config.registry)
  const packageCache = new PackageCache(config.registry.memoryBytes)
  const scorer = options.scorer ?? new WorkerPool({ config, models, packageCache })
  const running: Parts['running'] = {}
  // A thread takes as long to start as HTTP takes to load, so the thread starts first.
  const thread = scorer.start(
    (fault) => { running.log?.error({ err: fault }, 'a worker thread failed') },
    (report) => { running.lifecycle?.receive(report) })
  thread.catch(() => {})
  const [{ buildApp }, { ModelLifecycle, openSources }, { Metrics }] = await Promise.all([
    import('./app.ts'), import('./models/model-lifecycle.ts'), import('./metrics/metrics.ts'),
  ])
  const opened = options.sources === undefined
    ? await openSources(config)
    : { sources: options.sources, registry: undefined }
  const tracer = await openTracer(SERVICE_NAME, config.telemetry, (problem) => {
    running.log?.warn({ problem }, 'spans cannot be sent')
  })
  const engineModules = await loadEngineModules(config)
  const tally = new ShadowTally()
  const metrics = new Metrics(models, tally)
  const openIntake = (log: FastifyBaseLogger): TaskIntake =>
    (running.intake = new engineModules!.TaskIntake(config, scorer, log))
  const openLifecycle = (log: FastifyBaseLogger): ModelLifecycle => (running.lifecycle = new ModelLifecycle({
    config, models, packageCache, scorer, log, tally, events: metrics, ...opened,
  }))
  const app = await buildApp({
    config,
    models,
    scorer,
    logger,
    tracer,
    metrics,
    extension,
    openLifecycle,
    openIntake: config.engine.takesTasks ? openIntake : undefined,
    engines: () => running.engines?.describe() ?? [],
  })
  running.log = app.log
  return { app, models, engineModules, tracer, thread, running }
}

interface Start {
  readonly config: Config
  readonly url: string
  readonly prepare: ServeOptions['prepare']
  isClosing (): boolean
}

/** Prepares and loads the models, then reports interrupted tasks and announces the service to the engines. */
async function becomeReady ({ app, models, engineModules, thread, running }: Parts, start: Start): Promise<void> {
  const { config, url, prepare, isClosing } = start
  await prepare?.()
  if (isClosing()) return
  await running.lifecycle!.start(await thread)
  if (isClosing()) return
  app.log.info({ backend: models.backend?.name, models: describeServed(models) }, 'ready')
  running.intake?.tasks.recover()
  if (engineModules === undefined) return
  const { Engines, serviceUrlOf } = engineModules
  running.engines = new Engines(config.engine, serviceUrlOf(config.engine.serviceUrl, url), app.log)
  running.engines.start()
}

function describeServed (models: ServedModels): object[] {
  return models.list().map(({ name, live }) =>
    ({ name, version: live?.version, goldenDifference: live?.goldenDifference }))
}

type EngineModules = NonNullable<Awaited<ReturnType<typeof loadEngineModules>>>

/** Loads the S3 and HTTP clients only if there is an engine. Most services have none, and start faster without them. */
async function loadEngineModules ({ engine: { takesTasks, urls } }: Config) {
  if (!takesTasks && urls.length === 0) return undefined
  return { ...await import('./tasks/task-intake.ts'), ...await import('./engine/engines.ts') }
}

/** Error codes of listen() and their remedies. */
const LISTEN_REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'the port is taken; stop the program that listens there, or set SERVICE_PORT to another one (0 takes a free one)',
  EACCES: 'this user may not take the port; set SERVICE_PORT to one above 1023',
  EADDRNOTAVAIL: 'this machine does not have the address; set SERVICE_HOST to one that it has',
  ENOTFOUND: 'no address has this name; set SERVICE_HOST to an address of this machine',
}

async function listen (app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ port, host, listenTextResolver: (address) => `listening on ${address}` })
  } catch (cause) {
    await app.close()
    const { code = '', message } = cause as NodeJS.ErrnoException
    const remedy = LISTEN_REMEDIES[code] ?? `${message}; set SERVICE_HOST and SERVICE_PORT`
    throw new Problem(
      'invalid-settings',
      `Cannot listen on ${host}, port ${port}: ${remedy}.`,
      { cause }
    )
  }
}

/** The message of a Problem is sufficient. Other errors are faults, and are logged with their stack. */
function logFailure (log: FastifyBaseLogger, error: unknown): void {
  if (error instanceof Problem) {
    log.fatal(
      { code: error.code, cause: (error.cause as Error | undefined)?.message },
      `the models cannot be served: ${error.message}`
    )
  } else log.fatal({ err: error }, 'the models cannot be served')
}

async function closeWithin (graceMs: number, close: () => Promise<unknown>, force: () => void): Promise<void> {
  const timer = setTimeout(force, graceMs)
  try {
    await close()
  } finally {
    clearTimeout(timer)
  }
}

interface ServiceProgram {
  /** Returns what to do before the models are loaded, if anything. `stopped` aborts when the service is stopped. */
  readonly prepare?: (config: Config, stopped: AbortSignal) => (() => Promise<void>) | undefined
  /** Called with the settings. The extension closes itself in hooks of the app. */
  readonly extend?: (config: Config) => Promise<Extension | undefined>
  /** Called when the models are served, unless the service was stopped before. */
  readonly onReady?: (url: string) => void
}

const SINGLE_THREADED_COLLECTION = ['--no-concurrent-marking', '--no-parallel-scavenge', '--no-concurrent-sweeping']

/** Serves until SIGINT or SIGTERM. Never rejects: a failure is written to stderr and sets the exit code 1. */
export async function runService ({ prepare, extend, onReady }: ServiceProgram = {}): Promise<void> {
  const stopping = new AbortController()
  try {
    const config = readConfig(readEnvironment())
    // Set before threads start: parallel garbage collection takes processors from scoring (1.5 × as fast in
    // bench:engine).
    for (const flag of SINGLE_THREADED_COLLECTION) setFlagsFromString(flag)
    const service = await serve(config, {
      logger: loggerOf(config),
      prepare: prepare?.(config, stopping.signal),
      extension: await extend?.(config),
    })
    const stop = (): void => {
      stopping.abort()
      service.close().catch(() => { process.exitCode = 1 })
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
    process.on('SIGHUP', () => { service.refresh().catch(() => {}) })
    // A service that can never be ready must not stay alive. Its log has the reason.
    const isReady = await service.ready.then(() => true, () => false)
    if (stopping.signal.aborted) return
    if (isReady) return onReady?.(service.url)
    process.exitCode = 1
    await service.close()
  } catch (error) {
    writeFailure(error as Error)
    process.exitCode = 1
  }
}

function writeFailure (error: Error): void {
  process.stderr.write(`${error instanceof Problem ? `${error.code}: ` : ''}${error.message}\n`)
}

/** Readable lines on a terminal, else JSON. */
function loggerOf ({ logLevel }: Config): FastifyServerOptions['logger'] {
  const pretty = {
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } },
  }
  return { ...loggerOptions(logLevel), ...(process.stdout.isTTY && pretty) }
}
