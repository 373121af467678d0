// What every program that serves does: environment → settings → service, signals → end, or a look for new models. Failures are a sentence on stderr and exit code 1.
import { setFlagsFromString } from 'node:v8'
import type { FastifyServerOptions } from 'fastify'
import { Problem } from '../core/errors.ts'
import { readEnvironment } from '../core/settings/environment.ts'
import type { Extension } from './app.ts'
import { type Config, readConfig } from './config.ts'
import { loggerOptions } from './logging.ts'
import { serve } from './serve.ts'

export interface ServiceProgram {
  /** What there is to do before the models can be loaded, if anything. `stopped` aborts when the service is asked to end. */
  readonly prepare?: (config: Config, stopped: AbortSignal) => (() => Promise<void>) | undefined
  /** Made once the settings are known; closed by the app's own hooks. */
  readonly extend?: (config: Config) => Promise<Extension | undefined>
  /** Called once the models are served, unless the service was asked to end before. */
  readonly onReady?: (url: string) => void
}

/** Serves until SIGINT or SIGTERM. Never rejects: what prevents the service is told and becomes the exit code. */
export async function runService ({ prepare, extend, onReady }: ServiceProgram = {}): Promise<void> {
  const stopping = new AbortController()
  try {
    const config = readConfig(readEnvironment())
    // Before any thread starts: all processors are to score, none to collect garbage beside it (half as much again in bench:engine).
    for (const flag of ['--no-concurrent-marking', '--no-parallel-scavenge', '--no-concurrent-sweeping']) setFlagsFromString(flag)
    const service = await serve(config, { logger: loggerOf(config), prepare: prepare?.(config, stopping.signal), extension: await extend?.(config) })
    const stop = (): void => {
      stopping.abort()
      service.close().catch(() => { process.exitCode = 1 })
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
    process.on('SIGHUP', () => { service.refresh().catch(() => {}) })
    // A service that can never be ready must not look alive; its log has told why.
    const isReady = await service.ready.then(() => true, () => false)
    if (stopping.signal.aborted) return
    if (isReady) return onReady?.(service.url)
    process.exitCode = 1
    await service.close()
  } catch (error) {
    tellFailure(error as Error)
    process.exitCode = 1
  }
}

function tellFailure (error: Error): void {
  process.stderr.write(`${error instanceof Problem ? `${error.code}: ` : ''}${error.message}\n`)
}

/** Lines for people on a terminal, JSON for everything that reads logs. */
function loggerOf ({ logLevel }: Config): FastifyServerOptions['logger'] {
  const pretty = { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } } }
  return { ...loggerOptions(logLevel), ...(process.stdout.isTTY && pretty) }
}
