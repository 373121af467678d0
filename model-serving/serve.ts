// Runs the service: listens at once, loads the models, closes with grace. For main.ts and for programs that embed the service.
import type { FastifyBaseLogger, FastifyInstance, FastifyServerOptions } from 'fastify'
import { Problem } from '../core/errors.ts'
import { openTracer } from '../core/telemetry/open-tracer.ts'
import { SERVICE_NAME } from '../core/telemetry/spans.ts'
import type { Extension } from './app.ts'
import type { Config } from './config.ts'
import { loggerOptions } from './logging.ts'
import type { Engines } from './engine/engines.ts'
import type { ModelSide } from './models/model-side.ts'
import { PackageShelf } from './models/package-shelf.ts'
import { ServedModels } from './models/served-models.ts'
import type { Supply } from './models/supply.ts'
import { isLoopback, refuseOpenService } from './settings/access.ts'
import type { TaskDoor } from './tasks/door.ts'
import { WorkerPool } from './workers/pool.ts'
import type { Scorer } from './workers/scorer.ts'

export interface RunningService {
  readonly url: string
  /** Looks for new versions of models now. Never rejects. */
  refresh (): Promise<void>
  /** Fulfilled once the models are loaded and proved; rejected with the Problem that prevents it. */
  readonly ready: Promise<void>
  /** Stops listening and waits for running requests, at most the grace time. */
  close (): Promise<void>
}

export interface ServeOptions {
  /** pino options of Fastify, or false; default: JSON lines at the configured level, without secrets. */
  readonly logger?: FastifyServerOptions['logger']
  /** What there is to do before the models can be loaded, e.g. to train them; begins once the service listens. */
  readonly prepare?: (() => Promise<void>) | undefined
  readonly extension?: Extension | undefined
  /** What scores; default: worker threads. */
  readonly scorer?: Scorer
  /** Where models come from; default: what the settings say. */
  readonly supplies?: readonly Supply[]
}

/** @throws Problem invalid-settings where the address or port cannot be had, or would be open to the network without a key */
export async function serve (config: Config, options: ServeOptions = {}): Promise<RunningService> {
  refuseOpenService(config)
  const { logger = loggerOptions(config.logLevel), prepare } = options
  const models = new ServedModels(config.registry)
  const shelf = new PackageShelf(config.registry.memoryBytes)
  const scorer = options.scorer ?? new WorkerPool({ config, models, shelf })
  const told: { log?: FastifyBaseLogger, side?: ModelSide } = {}
  // A thread takes as long to start as everything of HTTP: it begins before that is even read.
  const thread = scorer.start((fault) => { told.log?.error({ err: fault }, 'a worker thread failed') }, (one) => { told.side?.hear(one) })
  thread.catch(() => {})
  const [{ buildApp }, { ModelSide, openSources }] = await Promise.all([import('./app.ts'), import('./models/model-side.ts')])
  const sources = options.supplies === undefined ? await openSources(config) : { supplies: options.supplies, registry: undefined }
  const tracer = await openTracer(SERVICE_NAME, config.telemetry, (problem) => { told.log?.warn({ problem }, 'spans cannot be sent') })
  const engine: { door?: TaskDoor, engines?: Engines } = {}
  const side = await engineSide(config)
  const openDoor = (log: FastifyBaseLogger): TaskDoor => (engine.door = new side!.TaskDoor(config, scorer, log))
  const openSide = (log: FastifyBaseLogger): ModelSide => (told.side = new ModelSide({ config, models, shelf, scorer, log, ...sources }))
  const app = await buildApp({ config, models, scorer, logger, tracer, extension: options.extension, openSide, openDoor: config.engine.takesTasks ? openDoor : undefined, engines: () => engine.engines?.describe() ?? [] })
  told.log = app.log
  const url = await listen(app, config)
  if (config.access.auth === 'off' && !isLoopback(config.host)) app.log.warn({ host: config.host }, 'API_AUTH is off: everybody who reaches this address may use the service')
  let closing = false
  const start = async (): Promise<void> => {
    await prepare?.()
    if (closing) return
    await told.side!.start(await thread)
    if (closing) return
    const served = models.list().map(({ name, live }) => ({ name, version: live?.version, goldenDifference: live?.goldenDifference }))
    app.log.info({ backend: models.backend?.name, models: served }, 'ready')
    engine.door?.tasks.recover()
    if (side === undefined) return
    engine.engines = new side.Engines(config.engine, side.serviceUrlOf(config.engine.serviceUrl, url), app.log)
    engine.engines.start()
  }
  const ready = start()
  // Whoever does not wait for it still finds it in the log.
  ready.catch((error: unknown) => { if (!closing) logFailure(app.log, error) })
  const close = async (): Promise<void> => {
    closing = true
    // In this order: engines that still dispatch are answered, and threads that still score are there.
    await engine.engines?.withdraw()
    await engine.door?.close(config.shutdownGraceMs)
    await closeWithin(config.shutdownGraceMs, () => app.close(), () => { app.server.closeAllConnections() })
    await tracer?.close()
  }
  return { url, ready, close, refresh: async () => told.side?.follower.refresh() }
}

/** Clients of S3 and HTTP are read only where there is an engine: most services have none, and start the sooner. */
async function engineSide ({ engine: { takesTasks, urls } }: Config) {
  if (!takesTasks && urls.length === 0) return undefined
  return { ...await import('./tasks/door.ts'), ...await import('./engine/engines.ts') }
}

/** What the system says when an address cannot be had → the remedy. */
const LISTEN_REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken; stop the program that listens there, or set SERVICE_PORT to another one (0 takes a free one)',
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
    throw new Problem('invalid-settings', `Cannot listen on ${host}, port ${port}: ${LISTEN_REMEDIES[code] ?? `${message}; set SERVICE_HOST and SERVICE_PORT`}.`, { cause })
  }
}

/** A Problem says all in a sentence; anything else is a fault and needs its stack. */
function logFailure (log: FastifyBaseLogger, error: unknown): void {
  if (error instanceof Problem) log.fatal({ code: error.code, cause: (error.cause as Error | undefined)?.message }, `the models cannot be served: ${error.message}`)
  else log.fatal({ err: error }, 'the models cannot be served')
}

async function closeWithin (graceMs: number, close: () => Promise<unknown>, force: () => void): Promise<void> {
  const timer = setTimeout(force, graceMs)
  try {
    await close()
  } finally {
    clearTimeout(timer)
  }
}
