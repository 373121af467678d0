// The OpenTelemetry Collector of otel-collector/main.go: takes spans on a loopback port as backends do, and hands them
// on as JSON.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GoProgram, goProgram, installGoProgram } from './go.ts'
import { controlled, freePort, installed, type RunningServer, startServer } from './server.ts'

/** The version is that of otel-collector/go.mod. */
const PROGRAM: GoProgram = {
  name: 'otel-collector',
  version: '0.165.0',
  path: '.',
  pinnedIn: join(import.meta.dirname, 'otel-collector'),
}

export const installOtelCollector = (): void => { installGoProgram(PROGRAM) }

export const otelCollectorVersion = (): string => PROGRAM.version

/**
 * @param to where spans are handed on to
 * @throws Error where it is not installed or does not start
 */
export async function startOtelCollector ({ folder, to }: { folder: string, to: string }): Promise<RunningServer> {
  const program = installed(goProgram(PROGRAM), 'otel-collector')
  const address = `127.0.0.1:${await freePort()}`
  const config = join(folder, 'otel-collector.yaml')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    config,
    [
      `receivers: { otlp: { protocols: { http: { endpoint: "${address}" } } } }`,
      `exporters: { otlphttp: { endpoint: "${to}", encoding: json, compression: none, ` +
        'retry_on_failure: { enabled: false }, sending_queue: { enabled: false } } }',
      'service:',
      '  telemetry: { metrics: { level: none } }',
      '  pipelines: { traces: { receivers: [otlp], exporters: [otlphttp] } }',
      '',
    ].join('\n')
  )
  return controlled(
    async () =>
      startServer({
        program,
        args: [`--config=file:${config}`],
        log: join(folder, 'otel-collector.log'),
        readyUrl: `tcp://${address}`,
      }),
    { url: `http://${address}` }
  )
}
