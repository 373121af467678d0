// The span of each HTTP request, and the ids by which its log lines are found. Written here, and not by Fastify's own
// instrumentation (decision 22).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readTraceparent } from './trace-context.ts'
import type { Span, Tracer } from './spans.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Where requests are traced. */
    span?: Span
  }
}

/** Asked every few seconds, by nobody who looks at traces. */
const PROBES = new Set(['/livez', '/readyz', '/metrics', '/stream/metrics'])

/** To be called before routes and other hooks are added. */
export function traceRequests (app: FastifyInstance, tracer: Tracer | undefined): void {
  app.addHook('onRequest', async (request, reply) => {
    const context = readTraceparent(request.headers['traceparent'])
    if (tracer !== undefined && !PROBES.has(request.routeOptions.url ?? '')) {
      request.span = watched(request, reply, tracer, context?.traceparent)
    }
    const traceId = request.span?.traceId ?? context?.traceId
    if (traceId === undefined) return
    // The names that OpenTelemetry gives them in logs.
    request.log = reply.log = request.log.child({
      trace_id: traceId,
      ...(request.span !== undefined && { span_id: request.span.spanId }),
    })
  })
}

/** What others are to be part of that come from this request: its span, else what it came with. */
export const traceparentOf = ({ span, headers }: FastifyRequest): string | undefined =>
  span?.traceparent ?? readTraceparent(headers['traceparent'])?.traceparent

function watched (request: FastifyRequest, reply: FastifyReply, tracer: Tracer, parent: string | undefined): Span {
  const route = request.is404 ? undefined : request.routeOptions.url
  // Neither query nor address: they may hold what is nobody's business.
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
  // Also where the caller is gone before there is an answer.
  reply.raw.once('close', () => {
    const { statusCode, writableFinished } = reply.raw
    span.set({ 'http.response.status_code': writableFinished ? statusCode : undefined, 'ae.request_id': request.id })
    span.end(writableFinished ? failureOf(statusCode) : new Error('the caller was gone before the answer'))
  })
  return span
}

/** The caller's faults are none of the server's. */
const failureOf = (status: number): Error | undefined =>
  status < 500 ? undefined : Object.assign(new Error(`answered ${status}`), { code: String(status) })
