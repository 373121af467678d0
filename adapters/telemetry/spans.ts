// What programs know of tracing. A parent is a `traceparent`, whether it came by HTTP, by the log of the stream, or
// from a span of this process.

/** Of all processes together; that of the service, too. */
export const SERVICE_NAME = 'ae-anomaly-detection'

/** Names as OpenTelemetry's semantic conventions have them. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** Whose work it is: a request or a message that came in, one that goes out, or neither. */
export type SpanKind = 'server' | 'consumer' | 'producer' | 'internal'

export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Makes others children of this one. */
  readonly traceparent: string
  /** A part of it. May outlive it. */
  child (name: string, attributes?: Attributes, kind?: SpanKind): Span
  set (attributes: Attributes): void
  /** @param failure what went wrong, if anything */
  end (failure?: unknown): void
}

export interface SpanOptions {
  readonly kind: SpanKind
  /** W3C Trace Context; none: a trace begins here. */
  readonly parent?: string | undefined
  readonly attributes?: Attributes
}

export interface Tracer {
  start (name: string, options: SpanOptions): Span
  /** Sends what is left, as far as that can be done in a few seconds. Never rejects. */
  close (): Promise<void>
}

/** Ends the span with the work, however that ends. */
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
