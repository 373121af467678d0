// The settings of tracing, under OpenTelemetry's names. Its SDK reads them from the environment; this schema validates
// and documents them.
import { z } from 'zod'

const endpoint = z.string().refine(
  (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''),
  'an address such as http://localhost:4318'
).optional()

export const TELEMETRY_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.describe(
    'Collector that receives the spans (OTLP over HTTP), such as http://localhost:4318. Default: none, nothing ' +
      'is traced.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint.describe(
    'The same with its path, such as http://localhost:4318/v1/traces; overrides OTEL_EXPORTER_OTLP_ENDPOINT.'
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.enum(['http/protobuf', 'http/json']).default('http/protobuf').describe(
    'How spans are written.'
  ),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional().meta({
    secret: true,
    description: 'Headers that are sent along, as name=value, separated by commas; they may hold a key.',
  }),
  OTEL_TRACES_SAMPLER: z.string().optional().describe(
    'Which traces are recorded that begin here, such as parentbased_traceidratio. Default: parentbased_always_on.'
  ),
  OTEL_TRACES_SAMPLER_ARG: z.string().optional().describe('Its share, from 0 to 1.'),
  OTEL_SERVICE_NAME: z.string().optional().describe(
    'What the process is called in traces. Default: ae-anomaly-detection, and -STEP for a step of the stream.'
  ),
  OTEL_RESOURCE_ATTRIBUTES: z.string().optional().describe(
    'What else is said of it, such as deployment.environment.name=plant.'
  ),
  OTEL_SDK_DISABLED: z.string().optional().describe('true: nothing is traced, whatever else is set.'),
}
export type TelemetrySettings = z.output<z.ZodObject<typeof TELEMETRY_SETTINGS>>

/** The settings of tracing, without all others. */
export const telemetryOf = (settings: TelemetrySettings): TelemetrySettings =>
  Object.fromEntries(
    Object.entries(settings).filter(([name]) => Object.hasOwn(TELEMETRY_SETTINGS, name))
  ) as TelemetrySettings
