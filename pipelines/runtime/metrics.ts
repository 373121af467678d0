// Prometheus metrics of a step. All steps use the same names; the label `step` tells them apart.
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Where a failure happened: reading a record, processing it, or sending the results. */
type Stage = 'receiving' | 'processing' | 'sending'

/** Seconds: from a few milliseconds to the delay after an outage of minutes. */
const LATENCIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300]

/** 1 is the threshold. */
const SCORES = [0.25, 0.5, 0.75, 0.9, 1, 1.25, 1.5, 2, 3, 5, 10]

/** Stands for every unknown URL, so that callers cannot create labels. */
const NO_ROUTE = 'unknown'

export class StepMetrics {
  readonly registry = new Registry()
  readonly #received: Counter
  readonly #sent: Counter
  readonly #dropped: Counter
  readonly #rejected: Counter
  readonly #errors: Counter
  readonly #latency: Histogram
  /** Only steps that score have this one. */
  #scores: Histogram | undefined

  constructor (step: string) {
    const registers = [this.registry]
    this.registry.setDefaultLabels({ step })
    this.#received = new Counter({
      name: 'messages_received_total',
      help: 'Messages that came in.',
      labelNames: ['type'],
      registers,
    })
    this.#sent = new Counter({
      name: 'messages_sent_total',
      help: 'Messages that went out and were acknowledged.',
      labelNames: ['type'],
      registers,
    })
    this.#dropped = new Counter({
      name: 'messages_dropped_total',
      help: 'Messages that were left out on purpose, by reason.',
      labelNames: ['reason'],
      registers,
    })
    this.#rejected = new Counter({
      name: 'messages_rejected_total',
      help: 'Messages that went to the dead letters, by reason.',
      labelNames: ['reason'],
      registers,
    })
    this.#errors = new Counter({
      name: 'errors_total',
      help: 'What failed, by stage; it is tried again.',
      labelNames: ['stage'],
      registers,
    })
    this.#latency = new Histogram({
      name: 'latency_seconds',
      help: "From an observation's arrival at the collector until this step was done with it.",
      buckets: LATENCIES,
      registers,
    })
    for (const stage of ['receiving', 'processing', 'sending'] as const) this.#errors.inc({ stage }, 0)
  }

  received (type: string, count = 1): void { this.#received.inc({ type }, count) }
  sent (type: string, count = 1): void { this.#sent.inc({ type }, count) }
  dropped (reason: string, count = 1): void { this.#dropped.inc({ reason }, count) }
  rejected (reason: string, count = 1): void { this.#rejected.inc({ reason }, count) }
  failed (stage: Stage): void { this.#errors.inc({ stage }) }
  /** @param milliseconds since the observation came in */
  took (milliseconds: number): void { this.#latency.observe(milliseconds / 1000) }

  /** Score of a verdict. */
  scored (score: number): void {
    this.#scores ??= new Histogram({
      name: 'verdict_score',
      help: 'Scores of verdicts. An observation above 1 is anomalous.',
      buckets: SCORES,
      registers: [this.registry],
    })
    this.#scores.observe(score)
  }

  /** Measures requests to the app, under the metric name of the service. Call it before you add routes. */
  watch (app: FastifyInstance): void {
    const times = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'How long requests took, by route.',
      labelNames: ['route', 'method', 'status'],
      buckets: LATENCIES,
      registers: [this.registry],
    })
    app.addHook('onResponse', async (request, reply) => {
      times.observe({
        route: request.is404 ? NO_ROUTE : request.routeOptions.url ?? NO_ROUTE,
        method: request.method,
        status: String(reply.statusCode),
      }, reply.elapsedTime / 1000)
    })
  }

  /** Adds metrics of the process, its memory and event loop: for a step that is a process of its own. */
  ofProcess (): void {
    collectDefaultMetrics({ register: this.registry })
  }

  /** Calls `value` for every scrape. */
  gauge (name: string, help: string, value: () => Promise<number> | number): void {
    // eslint-disable-next-line no-new
    new Gauge({ name, help, registers: [this.registry], async collect () { this.set(await value()) } })
  }

  async text (): Promise<string> {
    return this.registry.metrics()
  }
}
