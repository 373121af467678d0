// Settings of the registry, of trainings, and of the age of models.
import { z } from 'zod'
import { DEFAULT_REGISTRY } from '../../adapters/registry/open-store.ts'
import { STORE_SETTINGS, type StoreVariables } from '../../adapters/s3/access.ts'
import { duration, list, wholeNumber } from '../../adapters/settings/values.ts'

export interface RegistryConfig {
  /** A folder or s3://bucket/prefix; undefined: no registry is followed. */
  readonly location: string | undefined
  readonly pollMs: number
  /** Most bytes of packages that one thread has open, and of packages that are cached but not served. */
  readonly memoryBytes: number
  readonly maxAgeMs: number | undefined
  /** Whether served scores are stored in the registry. */
  readonly keepsScores: boolean
  readonly access: StoreVariables
  /** URLs of series that jobs may train on; empty: only posted series. */
  readonly trainingSources: readonly string[]
  readonly maxJobs: number
}

export const REGISTRY_SETTINGS = {
  MODEL_REGISTRY: z.string().optional().describe(
    'Registry whose live models are served: a folder, or s3://bucket/prefix. Default: .registry, unless MODELS_DIR ' +
      'is set.'
  ),
  MODEL_REGISTRY_POLL_MS: wholeNumber(100, 86_400_000).default(5000).describe(
    'Time between two looks at the registry. MinIO also reports changes; on SIGHUP the service looks at once.'
  ),
  MODEL_MEMORY_MB: wholeNumber(1, 1_000_000).default(512).describe(
    'Most megabytes of packages that one thread keeps open; it closes the least recently used one first.'
  ),
  MODEL_MAX_AGE: duration('P90D').optional().describe(
    'Age at which a version is stale, and its answers say so, ISO 8601. Default: never.'
  ),
  SCORE_HISTORY: z.enum(['on', 'off']).default('on').describe(
    'Whether the registry keeps the served scores, for feedback and drift.'
  ),
  TRAINING_SOURCES: list((entry) =>
    /^s3:\/\/[a-z0-9.-]+/.test(entry) ? undefined : 'a list of s3://bucket or s3://bucket/prefix'
  ).default([]).describe('Locations that POST /models may train on. Default: none, it trains on posted series only.'),
  MAX_JOBS: wholeNumber(0, 1000).default(4).describe('Most trainings that wait or run; further ones are refused.'),
  ...STORE_SETTINGS,
}

type RegistrySettings = z.output<z.ZodObject<typeof REGISTRY_SETTINGS>>

export function registryOf (
  { MODELS_DIR: folder, ...settings }: RegistrySettings & { readonly MODELS_DIR?: string | undefined }
): RegistryConfig {
  const location = settings.MODEL_REGISTRY ?? (folder === undefined ? DEFAULT_REGISTRY : undefined)
  return {
    location,
    pollMs: settings.MODEL_REGISTRY_POLL_MS,
    memoryBytes: settings.MODEL_MEMORY_MB * 1_000_000,
    maxAgeMs: settings.MODEL_MAX_AGE,
    keepsScores: settings.SCORE_HISTORY === 'on' && location !== undefined,
    access: Object.fromEntries(Object.entries(settings).filter(([name]) => name.startsWith('AWS_'))) as StoreVariables,
    trainingSources: settings.TRAINING_SOURCES,
    maxJobs: settings.MAX_JOBS,
  }
}
