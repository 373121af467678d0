// The tracing interface for programs. A parent is always a `traceparent`: from an HTTP request, from a record of the
// stream, or from a span of this process.

/** The namespace of all processes, and the name of the service. */
export const SERVICE_NAME = 'ae-anomaly-detection'

/** Named after OpenTelemetry's semantic conventions. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** `server`: an incoming request; `consumer`, `producer`: an incoming, outgoing message; `internal`: anything else. */
export type SpanKind = 'server' | 'consumer' | 'producer' | 'internal'

export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** The parent to give to this span's children. */
  readonly traceparent: string
  /** Starts a child span, which may outlive this one. */
  child (name: string, attributes?: Attributes, kind?: SpanKind): Span
  set (attributes: Attributes): void
  /** @param failure what went wrong, if anything */
  end (failure?: unknown): void
}

export interface SpanOptions {
  readonly kind: SpanKind
  /** W3C Trace Context; if absent, a new trace starts. */
  readonly parent?: string | undefined
  readonly attributes?: Attributes
}

export interface Tracer {
  start (name: string, options: SpanOptions): Span
  /** Sends the remaining spans, for at most a few seconds. Never rejects. */
  close (): Promise<void>
}

/** Runs the work and ends the span with it, whether the work succeeds or fails. */
export async function within<T> (span: Span | undefined, work: () => Promise<T>): Promise<T> {
  try {
    const done = await work()
    span?.end()
    return done
  } catch (error) {
    span?.end(error)
    throw error
  }
}
