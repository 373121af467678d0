// Entry of the service: environment → settings → service; stops on SIGINT and SIGTERM.
import { Problem } from '../core/errors.ts'
import { readConfig } from './config.ts'
import { type RunningService, serve } from './serve.ts'

async function start (): Promise<RunningService> {
  const config = readConfig(process.env)
  const pretty = process.stdout.isTTY ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } } } : {}
  return serve(config, { level: config.logLevel, ...pretty })
}

try {
  const service = await start()
  const stop = (): void => { service.close().catch(() => { process.exitCode = 1 }) }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  // A service that can never be ready must not look alive; its log has told why.
  await service.ready.catch(async () => {
    process.exitCode = 1
    await service.close()
  })
} catch (error) {
  // Wrong settings, or a port that is taken: a sentence, not a stack.
  process.stderr.write(`${error instanceof Problem ? `${error.code}: ` : ''}${(error as Error).message}\n`)
  process.exitCode = 1
}
