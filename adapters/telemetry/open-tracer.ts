// Whether there is tracing at all: OpenTelemetry is loaded where a variable names a collector, and nowhere else (some
// 120 ms of a start).
import type { TelemetrySettings } from './settings.ts'
import type { Tracer } from './spans.ts'

/**
 * @param name what the process is called, unless OTEL_SERVICE_NAME says otherwise
 * @param onProblem told why spans cannot be sent
 * @returns undefined unless the settings name a collector
 */
export async function openTracer (
  name: string,
  settings: TelemetrySettings,
  onProblem: (problem: string) => void
): Promise<Tracer | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_SDK_DISABLED: disabled } =
    settings
  if ((base ?? own) === undefined || disabled?.toLowerCase() === 'true') return undefined
  const { OpenTelemetryTracer } = await import('./open-telemetry.ts')
  return OpenTelemetryTracer.open(name, settings.OTEL_EXPORTER_OTLP_PROTOCOL, onProblem)
}
