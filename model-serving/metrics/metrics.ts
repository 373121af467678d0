// What Prometheus is told of the service and its models. Counted in plain numbers: the client is read with the first
// request for them, and not at the start.
import type { Metric, Registry } from 'prom-client'
import type { AnswerCount, AnswerCounts } from '../workers/answer-counts.ts'
import type { VersionRef } from '../packages/catalogue.ts'
import type { FollowerEvents, Refusal } from '../models/follower.ts'
import type { ServedModels } from '../packages/served-models.ts'
import type { ShadowTally } from '../models/shadow-tally.ts'
import type { RequestTimes } from './request-times.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Scorer } from '../workers/scorer.ts'

/** What the service does, besides having models. */
export interface Work {
  readonly answers: AnswerCounts
  readonly requests: RequestTimes
  readonly scorer: Pick<Scorer, 'load'>
  readonly tasks: Pick<Tasks, 'answers' | 'ended' | 'active' | 'describe'> | undefined
}

/** A metric: its labels, and a value for each set of them. */
interface Told {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly labels: readonly string[]
  values (): ReadonlyArray<readonly [Record<string, string>, number]>
}

/** In the text format of Prometheus. */
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

  /** To be called before the first text. */
  include (work: Work): void {
    this.#work = work
  }

  async text (): Promise<string> {
    return (await (this.#registry ??= register(this.#list(), this.#work?.requests))).metrics()
  }

  #list (): Told[] {
    return [
      ...this.#listModels(),
      ...describeLive(this.#models),
      ...this.#work === undefined ? [] : listWork(this.#work),
    ]
  }

  #listModels (): Told[] {
    const served = (): ReadonlyArray<readonly [Record<string, string>, number]> =>
      this.#models.catalogue.flatMap(({ name, live, shadow }) =>
        ([['live', live], ['shadow', shadow]] as const).flatMap(([alias, one]) =>
          one === undefined ? [] : [[{ model: name, alias, version: one.version, digest: one.digest }, 1] as const]
        )
      )
    const shadows = (of: 'observations' | 'disagreements' | 'skipped') => () =>
      this.#tally.list().map((count) =>
        [{ model: count.name, live: count.live, shadow: count.shadow }, count[of]] as const
      )
    const pair = ['model', 'live', 'shadow']
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
        help: 'Versions that an alias stands for and that cannot be used.',
        kind: 'counter',
        labels: ['model', 'code'],
        values: () => [...this.#refusals.values()].map(({ labels, count }) => [labels, count]),
      },
      {
        name: 'model_served',
        help: '1 for each version that an alias stands for here.',
        kind: 'gauge',
        labels: ['model', 'alias', 'version', 'digest'],
        values: served,
      },
      {
        name: 'model_drifting',
        help: '1 where the scores of the live version are no longer those that it was calibrated on.',
        kind: 'gauge',
        labels: ['model'],
        values: () =>
          this.#models.catalogue.flatMap(({ name, live }) =>
            live === undefined ? [] : [[{ model: name }, live.drifting === true ? 1 : 0] as const]
          ),
      },
      {
        name: 'model_shadow_observations',
        help: 'Observations that a shadow version has scored, too.',
        kind: 'gauge',
        labels: pair,
        values: shadows('observations'),
      },
      {
        name: 'model_shadow_disagreements',
        help: 'Observations that it judged otherwise.',
        kind: 'gauge',
        labels: pair,
        values: shadows('disagreements'),
      },
      {
        name: 'model_shadow_skipped_series',
        help: 'Series that it did not score, because there was more to answer.',
        kind: 'gauge',
        labels: pair,
        values: shadows('skipped'),
      },
    ]
  }
}

/** Of the live versions. How old one is is known only where the registry says when it was published. */
function describeLive (models: ServedModels): Told[] {
  const ages = (): ReadonlyArray<readonly [Record<string, string>, number]> =>
    !models.ready
      ? []
      : models.list().flatMap(({ name, live, versions }) => {
        const publishedAt = versions.find(({ digest }) => digest === live?.digest)?.publishedAt
        return publishedAt === undefined
          ? []
          : [[{ model: name }, Math.max(0, (Date.now() - publishedAt) / 1000)] as const]
      })
  const thresholds = (): ReadonlyArray<readonly [Record<string, string>, number]> =>
    !models.ready
      ? []
      : models.list().flatMap(({ name, live }) =>
        live === undefined
          ? []
          : (['batch', 'causal'] as const).map((scoring) =>
              [{ model: name, scoring }, live.manifest.detector[scoring].threshold] as const
            )
      )
  return [
    {
      name: 'model_threshold',
      help:
        'Reconstruction error, relative to its scale, that is score 1: from there on an observation of the live version is anomalous.',
      kind: 'gauge',
      labels: ['model', 'scoring'],
      values: thresholds,
    },
    {
      name: 'model_age_seconds',
      help: 'Since the live version was published.',
      kind: 'gauge',
      labels: ['model'],
      values: ages,
    },
    {
      name: 'service_ready',
      help: '1 once the models are loaded and proved.',
      kind: 'gauge',
      labels: [],
      values: () => [[{}, models.ready ? 1 : 0]],
    },
    {
      name: 'service_backend_info',
      help: 'What models are computed with.',
      kind: 'gauge',
      labels: ['backend', 'tfjs'],
      values: () =>
        models.backend === undefined ? [] : [[{ backend: models.backend.name, tfjs: models.backend.version }, 1]],
    },
  ]
}

function listWork ({ answers, scorer, tasks }: Work): Told[] {
  const counted = (of: keyof AnswerCount) => () =>
    [answers, ...tasks === undefined ? [] : [tasks.answers]].flatMap(({ byModel }) =>
      [...byModel].map(([model, count]) => [{ model }, count[of]] as const)
    )
  const one = (value: () => number) => () => [[{}, value()] as const]
  const compute: Told[] = [
    {
      name: 'answer_series_total',
      help: 'Series that were scored.',
      kind: 'counter',
      labels: ['model'],
      values: counted('series'),
    },
    {
      name: 'answer_observations_total',
      help: 'Observations of them.',
      kind: 'counter',
      labels: ['model'],
      values: counted('observations'),
    },
    {
      name: 'answer_anomalous_observations_total',
      help: 'Observations that are anomalous.',
      kind: 'counter',
      labels: ['model'],
      values: counted('anomalous'),
    },
    {
      name: 'compute_waiting',
      help: 'Requests that wait for a thread.',
      kind: 'gauge',
      labels: [],
      values: one(() => scorer.load().waiting),
    },
    {
      name: 'compute_running',
      help: 'Threads that score.',
      kind: 'gauge',
      labels: [],
      values: one(() => scorer.load().running),
    },
    {
      name: 'compute_refused_total',
      help: 'Requests refused because as many waited as may.',
      kind: 'counter',
      labels: [],
      values: one(() => scorer.load().refused),
    },
  ]
  if (tasks === undefined) return compute
  return [
    ...compute,
    {
      name: 'tasks_unfinished',
      help: 'Tasks of engines that wait or run.',
      kind: 'gauge',
      labels: [],
      values: one(() => tasks.describe().unfinished),
    },
    {
      name: 'tasks_active',
      help: 'Of these, the ones that are worked on.',
      kind: 'gauge',
      labels: [],
      values: one(() => tasks.active),
    },
    {
      name: 'tasks_limit',
      help: 'Unfinished tasks beyond which none is taken.',
      kind: 'gauge',
      labels: [],
      values: one(() => tasks.describe().limit),
    },
    {
      name: 'tasks_untold',
      help: 'Tasks that ended and whose engine was not told yet.',
      kind: 'gauge',
      labels: [],
      values: one(() => tasks.describe().untold),
    },
    {
      name: 'tasks_ended_total',
      help: 'Tasks that ended, by outcome.',
      kind: 'counter',
      labels: ['outcome'],
      values: () => [[{ outcome: 'finished' }, tasks.ended.finished], [{ outcome: 'failed' }, tasks.ended.failed]],
    },
  ]
}

async function register (metrics: readonly Told[], requests: RequestTimes | undefined): Promise<Registry> {
  const { collectDefaultMetrics, Counter, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  if (requests !== undefined) {
    const { name } = requests
    const histogram = { name, help: 'How long requests took, by route.', type: 'histogram', aggregator: 'sum' }
    registry.registerMetric(
      { ...histogram, get: async () => ({ ...histogram, values: requests.samples() }) } as unknown as Metric
    )
  }
  for (const { name, help, kind, labels, values } of metrics) {
    const metric: InstanceType<typeof Counter> | InstanceType<typeof Gauge> =
      new (kind === 'counter' ? Counter : Gauge)({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect: () => {
          metric.reset()
          for (const [of, value] of values()) metric.inc(of, value)
        },
      })
  }
  return registry
}
