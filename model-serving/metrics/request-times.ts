// How long requests took, by route, method and status. Plain numbers, counted from the start.
import type { FastifyInstance } from 'fastify'

/** Seconds: a probe takes one millisecond, the longest answer as long as COMPUTE_TIMEOUT_MS allows. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Whatever the URL was: callers must not be able to make labels. */
const NO_ROUTE = 'unknown'

interface Row {
  readonly labels: Readonly<Record<string, string>>
  /** Of each bound, without those of smaller bounds. */
  readonly counts: number[]
  count: number
  sum: number
}

export interface Sample {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export class RequestTimes {
  readonly name = 'http_request_duration_seconds'
  readonly #rows = new Map<string, Row>()

  /** To be called before the routes are added. */
  watch (app: FastifyInstance): void {
    app.addHook('onResponse', async (request, reply) => {
      const route = request.is404 ? NO_ROUTE : request.routeOptions.url ?? NO_ROUTE
      this.observe({ route, method: request.method, status: String(reply.statusCode) }, reply.elapsedTime / 1000)
    })
  }

  observe (
    labels: { readonly route: string, readonly method: string, readonly status: string },
    seconds: number
  ): void {
    const key = `${labels.route} ${labels.method} ${labels.status}`
    const row = this.#rows.get(key) ?? { labels, counts: BOUNDS.map(() => 0), count: 0, sum: 0 }
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound)
    if (bucket >= 0) row.counts[bucket]!++
    row.count++
    row.sum += seconds
    this.#rows.set(key, row)
  }

  samples (): Sample[] {
    return [...this.#rows.values()].flatMap(({ labels, counts, count, sum }) => {
      let within = 0
      const buckets = counts.map((more, i) => {
        within += more
        return { metricName: `${this.name}_bucket`, labels: { ...labels, le: String(BOUNDS[i]) }, value: within }
      })
      return [
        ...buckets,
        { metricName: `${this.name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
        { metricName: `${this.name}_sum`, labels, value: sum },
        { metricName: `${this.name}_count`, labels, value: count },
      ]
    })
  }
}
