// Metrics of the models: what is served, how old it is, and what its shadow made of the same series.
import type { ShadowTally } from '../models/shadow-tally.ts'
import type { ServedModels } from '../packages/served-models.ts'
import { type LabelledValue, type MetricSource, single } from './metric-source.ts'

/** Versions that an alias stands for. */
export function servedMetrics (models: ServedModels): MetricSource[] {
  return [
    {
      name: 'model_served',
      help: '1 for each version that an alias stands for here.',
      kind: 'gauge',
      labels: ['model', 'alias', 'version', 'digest'],
      values: () =>
        models.catalogue.flatMap(({ name, live, shadow }) =>
          ([['live', live], ['shadow', shadow]] as const).flatMap(([alias, served]): LabelledValue[] =>
            served === undefined
              ? []
              : [[{ model: name, alias, version: served.version, digest: served.digest }, 1]]
          )
        ),
    },
    {
      name: 'model_drifting',
      help: '1 if the scores of the live version have drifted from those it was calibrated on.',
      kind: 'gauge',
      labels: ['model'],
      values: () =>
        models.catalogue.flatMap(({ name, live }): LabelledValue[] =>
          live === undefined ? [] : [[{ model: name }, live.drifting === true ? 1 : 0]]
        ),
    },
  ]
}

export function shadowMetrics (tally: ShadowTally): MetricSource[] {
  const counts = (member: 'observations' | 'disagreements' | 'skipped') => (): readonly LabelledValue[] =>
    tally.list().map((count) =>
      [{ model: count.name, live: count.live, shadow: count.shadow }, count[member]]
    )
  const labels = ['model', 'live', 'shadow']
  return [
    {
      name: 'model_shadow_observations',
      help: 'Observations that a shadow version scored as well.',
      kind: 'gauge',
      labels,
      values: counts('observations'),
    },
    {
      name: 'model_shadow_disagreements',
      help: 'Observations to which the shadow version gave another verdict.',
      kind: 'gauge',
      labels,
      values: counts('disagreements'),
    },
    {
      name: 'model_shadow_skipped_series',
      help: 'Series that the shadow version did not score because answers come first.',
      kind: 'gauge',
      labels,
      values: counts('skipped'),
    },
  ]
}

/** Metrics of the live versions, and of what computes them. */
export function liveMetrics (models: ServedModels): MetricSource[] {
  return [
    {
      name: 'model_threshold',
      help: 'Smoothed reconstruction error that equals score 1. An observation above it is anomalous.',
      kind: 'gauge',
      labels: ['model', 'scoring'],
      values: () => thresholdsOf(models),
    },
    {
      name: 'model_age_seconds',
      help: 'Time since the live version was published.',
      kind: 'gauge',
      labels: ['model'],
      values: () => agesOf(models),
    },
    {
      name: 'service_ready',
      help: '1 once the models are loaded and proved.',
      kind: 'gauge',
      labels: [],
      values: single(() => models.ready ? 1 : 0),
    },
    {
      name: 'service_backend_info',
      help: 'Backend that computes the models.',
      kind: 'gauge',
      labels: ['backend', 'tfjs'],
      values: () =>
        models.backend === undefined ? [] : [[{ backend: models.backend.name, tfjs: models.backend.version }, 1]],
    },
  ]
}

function thresholdsOf (models: ServedModels): readonly LabelledValue[] {
  if (!models.ready) return []
  return models.list().flatMap(({ name, live }) =>
    live === undefined
      ? []
      : (['batch', 'causal'] as const).map((scoring): LabelledValue =>
          [{ model: name, scoring }, live.manifest.detector[scoring].threshold]
        )
  )
}

/** Only versions whose registry says when they were published have an age. */
function agesOf (models: ServedModels): readonly LabelledValue[] {
  if (!models.ready) return []
  return models.list().flatMap(({ name, live, versions }): LabelledValue[] => {
    const publishedAt = versions.find(({ digest }) => digest === live?.digest)?.publishedAt
    return publishedAt === undefined ? [] : [[{ model: name }, Math.max(0, (Date.now() - publishedAt) / 1000)]]
  })
}
