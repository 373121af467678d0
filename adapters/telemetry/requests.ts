// Makes a span for each HTTP request and adds its ids to the request's log lines. Replaces Fastify's own
// instrumentation (decision 22).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readTraceparent } from './trace-context.ts'
import type { Span, Tracer } from './spans.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set if requests are traced. */
    span?: Span
  }
}

/** Probes call these every few seconds; their spans would bury the others. */
const PROBES = new Set(['/livez', '/readyz', '/metrics', '/stream/metrics'])

/** Call this before routes and other hooks are added. */
export function traceRequests (app: FastifyInstance, tracer: Tracer | undefined): void {
  app.addHook('onRequest', async (request, reply) => {
    const context = readTraceparent(request.headers['traceparent'])
    if (tracer !== undefined && !PROBES.has(request.routeOptions.url ?? '')) {
      request.span = startSpan(request, reply, tracer, context?.traceparent)
    }
    const traceId = request.span?.traceId ?? context?.traceId
    if (traceId === undefined) return
    // OpenTelemetry's names for these fields in logs.
    request.log = reply.log = request.log.child({
      trace_id: traceId,
      ...(request.span !== undefined && { span_id: request.span.spanId }),
    })
  })
}

/** The parent for the work that a request starts: the request's span, or else the `traceparent` that it came with. */
export const traceparentOf = ({ span, headers }: FastifyRequest): string | undefined =>
  span?.traceparent ?? readTraceparent(headers['traceparent'])?.traceparent

/** Starts the request's span, and ends it with the response. */
function startSpan (request: FastifyRequest, reply: FastifyReply, tracer: Tracer, parent: string | undefined): Span {
  const route = request.is404 ? undefined : request.routeOptions.url
  // Leaves out the query and the client's address: they can hold private data.
  const span = tracer.start(route === undefined ? request.method : `${request.method} ${route}`, {
    kind: 'server',
    parent,
    attributes: {
      'http.request.method': request.method,
      'http.route': route,
      'url.scheme': request.protocol,
      'url.path': request.url.split('?', 1)[0],
    },
  })
  // `close` also comes if the client disconnects before the answer.
  reply.raw.once('close', () => {
    const { statusCode, writableFinished } = reply.raw
    span.set({ 'http.response.status_code': writableFinished ? statusCode : undefined, 'ae.request_id': request.id })
    span.end(writableFinished ? failureOf(statusCode) : new Error('the client disconnected before the answer'))
  })
  return span
}

/** Only a 5xx status counts as a failure of the server. */
const failureOf = (status: number): Error | undefined =>
  status < 500 ? undefined : Object.assign(new Error(`answered ${status}`), { code: String(status) })
