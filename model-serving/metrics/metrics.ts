// The metrics of the service for Prometheus. Counted in plain numbers: prom-client is loaded after the start.
import type { Registry } from 'prom-client'
import type { Refusal } from '../../adapters/follow-model/refusals.ts'
import type { FollowerEvents } from '../models/follower.ts'
import type { ShadowTally } from '../models/shadow-tally.ts'
import type { VersionRef } from '../packages/catalogue.ts'
import type { ServedModels } from '../packages/served-models.ts'
import type { MetricSource } from './metric-source.ts'
import { liveMetrics, servedMetrics, shadowMetrics } from './model-metrics.ts'
import type { RequestTimes } from './request-times.ts'
import { type Work, workMetrics } from './work-metrics.ts'

/** Prometheus' text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export class Metrics implements FollowerEvents {
  readonly #models: ServedModels
  readonly #tally: ShadowTally
  /** By model. */
  readonly #switches = new Map<string, number>()
  /** By model and code. */
  readonly #refusals = new Map<string, { readonly labels: Record<string, string>, count: number }>()
  #work: Work | undefined
  #registry: Promise<Registry> | undefined

  constructor (models: ServedModels, tally: ShadowTally) {
    this.#models = models
    this.#tally = tally
  }

  onSwitch ({ name }: VersionRef): void {
    this.#switches.set(name, (this.#switches.get(name) ?? 0) + 1)
  }

  onRefusal ({ name, code }: Refusal): void {
    const key = `${name} ${code}`
    const entry = this.#refusals.get(key) ?? { labels: { model: name, code }, count: 0 }
    entry.count++
    this.#refusals.set(key, entry)
  }

  /** Call it before the first text(). */
  include (work: Work): void {
    this.#work = work
  }

  async text (): Promise<string> {
    return (await (this.#registry ??= register(this.#list(), this.#work?.requests))).metrics()
  }

  #list (): MetricSource[] {
    return [
      ...this.#versionMetrics(),
      ...servedMetrics(this.#models),
      ...shadowMetrics(this.#tally),
      ...liveMetrics(this.#models),
      ...this.#work === undefined ? [] : workMetrics(this.#work),
    ]
  }

  #versionMetrics (): MetricSource[] {
    return [
      {
        name: 'model_switches_total',
        help: 'Versions that became live here.',
        kind: 'counter',
        labels: ['model'],
        values: () => [...this.#switches].map(([model, count]) => [{ model }, count]),
      },
      {
        name: 'model_versions_refused_total',
        help: 'Versions that an alias stands for but that cannot be used.',
        kind: 'counter',
        labels: ['model', 'code'],
        values: () => [...this.#refusals.values()].map(({ labels, count }) => [labels, count]),
      },
    ]
  }
}

async function register (sources: readonly MetricSource[], requests: RequestTimes | undefined): Promise<Registry> {
  const { collectDefaultMetrics, Counter, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  if (requests !== undefined) registry.registerMetric(await requests.histogram())
  for (const { name, help, kind, labels, values } of sources) {
    const metric: InstanceType<typeof Counter> | InstanceType<typeof Gauge> =
      new (kind === 'counter' ? Counter : Gauge)({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect: () => {
          metric.reset()
          for (const [set, value] of values()) metric.inc(set, value)
        },
      })
  }
  return registry
}
