// Runs the service: listens at once, loads the models, closes with grace. For main.ts and for programs that embed the service.
import { type FastifyServerOptions } from 'fastify'
import { buildApp } from './app.ts'
import { type Config } from './config.ts'
import { type LoadedModels, loadModels } from './load-models.ts'
import { ModelRegistry } from './models.ts'

export interface RunningService {
  readonly url: string
  /** Fulfilled once the models are loaded and proved; rejected with the Problem that prevents it. */
  readonly ready: Promise<void>
  /** Stops listening and waits for running requests, at most the grace time. */
  close (): Promise<void>
}

type Loader = (config: Config) => Promise<LoadedModels>

/**
 * @param logger pino options of Fastify, or false; default: JSON lines at the configured level
 * @param load where the models come from; default: the packages of config.modelsDir
 * @throws the system's error where the port cannot be had
 */
export async function serve (config: Config, logger: FastifyServerOptions['logger'] = { level: config.logLevel }, load: Loader = loadModels): Promise<RunningService> {
  const models = new ModelRegistry()
  const app = await buildApp({ config, models, logger })
  const url = await app.listen({ port: config.port, host: config.host, listenTextResolver: (address) => `listening on ${address}` })
  const ready = load(config).then((loaded) => {
    models.open(loaded.models, loaded.backend)
    app.log.info({ backend: loaded.backend.name, models: loaded.models.map(({ manifest: { name, version } }) => `${name}@${version}`) }, 'ready')
  })
  // Whoever does not wait for it still finds it in the log.
  ready.catch((err: unknown) => { app.log.fatal({ err }, 'the models cannot be served') })
  return { url, ready, close: async () => closeWithin(config.shutdownGraceMs, () => app.close(), () => { app.server.closeAllConnections() }) }
}

async function closeWithin (graceMs: number, close: () => Promise<unknown>, force: () => void): Promise<void> {
  const timer = setTimeout(force, graceMs)
  try {
    await close()
  } finally {
    clearTimeout(timer)
  }
}
