// How long requests took, by route, method and status.
import type { FastifyInstance } from 'fastify'
import type { Histogram } from 'prom-client'

/** Seconds: a probe takes one millisecond, the longest answer as long as COMPUTE_TIMEOUT_MS allows. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const LABELS = ['route', 'method', 'status'] as const

/** One label for all unknown URLs: callers must not be able to create labels. */
const NO_ROUTE = 'unknown'

type Times = Histogram<typeof LABELS[number]>

export class RequestTimes {
  #opening: Promise<Times> | undefined

  /** Call it before the routes are added. */
  watch (app: FastifyInstance): void {
    app.addHook('onResponse', async (request, reply) => {
      const seconds = reply.elapsedTime / 1000
      const histogram = await this.histogram()
      histogram.observe({
        route: request.is404 ? NO_ROUTE : request.routeOptions.url ?? NO_ROUTE,
        method: request.method,
        status: String(reply.statusCode),
      }, seconds)
    })
  }

  /** Opened after the first response: loading prom-client takes longer than the start can wait. */
  async histogram (): Promise<Times> {
    return (this.#opening ??= open())
  }
}

async function open (): Promise<Times> {
  const { Histogram } = await import('prom-client')
  return new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long requests took, by route.',
    labelNames: LABELS,
    buckets: BUCKETS,
    registers: [],
  })
}
