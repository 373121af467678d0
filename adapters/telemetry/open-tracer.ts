// Opens a tracer if a variable names a collector. Otherwise OpenTelemetry is not loaded, which saves about 120 ms of
// the start.
import type { TelemetrySettings } from './settings.ts'
import type { Tracer } from './spans.ts'

/**
 * @param name the process's name in traces, unless OTEL_SERVICE_NAME is set
 * @param onProblem is called with the reason why spans cannot be sent
 * @returns undefined if the settings name no collector
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
