// Tracing with OpenTelemetry's SDK. Nothing is registered globally: each span is given its parent, and no other library
// is instrumented.
import {
  type Context,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  type Span as ApiSpan,
  SpanKind as ApiSpanKind,
  SpanStatusCode,
  trace,
  type Tracer as ApiTracer,
} from '@opentelemetry/api'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-node'
import { withTimeout } from '../waiting.ts'
import { type Attributes, SERVICE_NAME, type Span, type SpanKind, type SpanOptions, type Tracer } from './spans.ts'
import { readTraceparent } from './trace-context.ts'

const KINDS: Readonly<Record<SpanKind, ApiSpanKind>> = {
  server: ApiSpanKind.SERVER,
  consumer: ApiSpanKind.CONSUMER,
  producer: ApiSpanKind.PRODUCER,
  internal: ApiSpanKind.INTERNAL,
}

/** Time limit for the last spans: a collector that does not answer must not delay the end of the process. */
const CLOSE_MS = 3000

export class OpenTelemetryTracer implements Tracer {
  readonly #provider: BasicTracerProvider
  readonly #tracer: ApiTracer

  constructor (name: string, exporter: SpanExporter) {
    const resource = defaultResource()
      .merge(resourceFromAttributes({ 'service.name': name, 'service.namespace': SERVICE_NAME }))
      .merge(detectResources({ detectors: [envDetector] }))
    this.#provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] })
    this.#tracer = this.#provider.getTracer(SERVICE_NAME)
  }

  static async open (
    name: string,
    protocol: 'http/protobuf' | 'http/json',
    onProblem: (problem: string) => void
  ): Promise<OpenTelemetryTracer> {
    const report = (problem: string): void => {
      onProblem(problem.slice(0, 500))
    }
    diag.setLogger({ error: report, warn: report, info: () => {}, debug: () => {}, verbose: () => {} }, {
      logLevel: DiagLogLevel.WARN,
      suppressOverrideMessage: true,
    })
    const { OTLPTraceExporter } = protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto')
    return new OpenTelemetryTracer(name, new OTLPTraceExporter())
  }

  start (name: string, { kind, parent, attributes = {} }: SpanOptions): Span {
    return new TracedSpan(
      this.#tracer,
      this.#tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, contextOf(parent))
    )
  }

  async close (): Promise<void> {
    await withTimeout(CLOSE_MS, 'sending the last spans', this.#provider.shutdown()).catch(() => {})
  }
}

function contextOf (traceparent: string | undefined): Context {
  const context = readTraceparent(traceparent)
  if (context === undefined) return ROOT_CONTEXT
  const { traceId, isSampled } = context
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId: context.traceparent.slice(36, 52),
    traceFlags: isSampled ? 1 : 0,
    isRemote: true,
  })
}

class TracedSpan implements Span {
  readonly #tracer: ApiTracer
  readonly #span: ApiSpan
  readonly traceId: string
  readonly spanId: string
  readonly traceparent: string

  constructor (tracer: ApiTracer, span: ApiSpan) {
    this.#tracer = tracer
    this.#span = span
    const { traceId, spanId, traceFlags } = span.spanContext()
    this.traceId = traceId
    this.spanId = spanId
    this.traceparent = `00-${traceId}-${spanId}-0${traceFlags & 1}`
  }

  child (name: string, attributes: Attributes = {}, kind: SpanKind = 'internal'): Span {
    return new TracedSpan(
      this.#tracer,
      this.#tracer.startSpan(
        name,
        { kind: KINDS[kind], attributes: { ...attributes } },
        trace.setSpan(ROOT_CONTEXT, this.#span)
      )
    )
  }

  set (attributes: Attributes): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) this.#span.setAttribute(name, value)
    }
  }

  end (failure?: unknown): void {
    if (failure !== undefined) {
      const { name, message } = failure instanceof Error ? failure : new Error(String(failure))
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message })
      this.#span.setAttribute('error.type', (failure as { code?: string }).code ?? name)
    }
    this.#span.end()
  }
}
