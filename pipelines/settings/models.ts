// Settings of the steps that follow a model: its name and its registry.
import { z } from 'zod'
import { DEFAULT_REGISTRY } from '../../adapters/registry/open-store.ts'
import { STORE_SETTINGS } from '../../adapters/s3/access.ts'
import { wholeNumber } from '../../adapters/settings/values.ts'

export const MODEL_SETTINGS = {
  STREAM_MODEL: z.string().optional().describe(
    'Name of the model that scores the stream. Default: the only live one of the registry.'
  ),
  MODEL_REGISTRY: z.string().default(DEFAULT_REGISTRY).describe(
    'Registry whose live version is followed: a folder, or s3://bucket/prefix.'
  ),
  MODEL_REGISTRY_POLL_MS: wholeNumber(100, 86_400_000).default(5000).describe(
    'Interval of checking the registry; SIGHUP checks at once.'
  ),
  TFJS_BACKEND: z.enum(['auto', 'native', 'wasm', 'cpu']).default('auto').describe(
    'TensorFlow.js backend; auto takes the fastest that works here.'
  ),
  ...STORE_SETTINGS,
}
export type ModelSettings = z.output<z.ZodObject<typeof MODEL_SETTINGS>>
