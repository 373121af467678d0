// The settings of the service, as one schema of environment variables.
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { parseSettings, wholeNumber } from '../../adapters/settings/values.ts'
import { TELEMETRY_SETTINGS, telemetryOf, type TelemetrySettings } from '../../adapters/telemetry/settings.ts'
import { ACCESS_SETTINGS, type AccessConfig, accessOf } from './access.ts'
import { ENGINE_SETTINGS, type EngineConfig, engineOf } from './engine.ts'
import { REGISTRY_SETTINGS, type RegistryConfig, registryOf } from './registry.ts'

/** Variable → meaning; `.env.example` lists the same variables with the same defaults. */
export const SettingsSchema = z.object({
  SERVICE_PORT: wholeNumber(0, 65_535).default(8282).describe('Port to listen on; 0 takes a free one.'),
  SERVICE_HOST: z.string().default('127.0.0.1').describe(
    'Address to listen on; 0.0.0.0 opens the service to the network, which needs API_KEYS.'
  ),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').describe(
    'Least severe log line that is written.'
  ),
  TFJS_BACKEND: z.enum(['auto', 'native', 'wasm', 'cpu']).default('auto').describe(
    'TensorFlow.js backend; auto takes the fastest that works here.'
  ),
  MODELS_DIR: z.string().optional().describe(
    'A model package, or a folder whose subfolders are model packages, served as they lie there. Default: none, the ' +
      'registry is followed.'
  ),
  MAX_BODY_BYTES: wholeNumber(1024, 1_073_741_824).default(33_554_432).describe(
    'Largest request body, in bytes after decompression.'
  ),
  MAX_VALUES: wholeNumber(1, 100_000_000).default(1_000_000).describe(
    'Most values in one request: observations times channels.'
  ),
  COMPUTE_WORKERS: wholeNumber(1, 64).default(() => Math.min(4, availableParallelism())).describe(
    'Threads that score; the first starts at once, others with load. Default: as many as there are processors, at ' +
      'most 4.'
  ),
  COMPUTE_QUEUE: wholeNumber(0, 10_000).default(32).describe(
    'Requests that wait for a thread; further ones are refused.'
  ),
  COMPUTE_TIMEOUT_MS: wholeNumber(1, 3_600_000).default(60_000).describe(
    'Longest time that one request may be computed, without its time in the queue.'
  ),
  COMPUTE_MAX_MEMORY_MB: wholeNumber(64, 1_000_000).default(1024).describe(
    'Most JavaScript memory of one thread, in megabytes.'
  ),
  AD_HOC_MAX_VALUES: wholeNumber(1, 100_000_000).default(250_000).describe(
    'Most values that a model is fitted on for one request.'
  ),
  SHUTDOWN_GRACE_MS: wholeNumber(0, 600_000).default(10_000).describe(
    'Time that running requests get to finish when the service is stopped.'
  ),
  ...REGISTRY_SETTINGS,
  ...ACCESS_SETTINGS,
  ...ENGINE_SETTINGS,
  ...TELEMETRY_SETTINGS,
})

export interface Config {
  readonly port: number
  readonly host: string
  readonly logLevel: z.output<typeof SettingsSchema>['LOG_LEVEL']
  readonly backend: z.output<typeof SettingsSchema>['TFJS_BACKEND']
  readonly modelsDir: string | undefined
  readonly maxBodyBytes: number
  readonly maxValues: number
  readonly adHocMaxValues: number
  readonly computeWorkers: number
  readonly computeQueue: number
  readonly computeTimeoutMs: number
  readonly computeMaxMemoryMb: number
  readonly shutdownGraceMs: number
  readonly registry: RegistryConfig
  readonly access: AccessConfig
  readonly engine: EngineConfig
  readonly telemetry: TelemetrySettings
}

/**
 * Reads the settings. An empty variable counts as unset.
 * @throws Problem invalid-settings that names each wrong variable and its valid values
 */
export function readConfig (env: Readonly<Record<string, string | undefined>>): Config {
  const settings = parseSettings(SettingsSchema, env)
  return {
    port: settings.SERVICE_PORT,
    host: settings.SERVICE_HOST,
    logLevel: settings.LOG_LEVEL,
    backend: settings.TFJS_BACKEND,
    modelsDir: settings.MODELS_DIR,
    maxBodyBytes: settings.MAX_BODY_BYTES,
    maxValues: settings.MAX_VALUES,
    adHocMaxValues: settings.AD_HOC_MAX_VALUES,
    computeWorkers: settings.COMPUTE_WORKERS,
    computeQueue: settings.COMPUTE_QUEUE,
    computeTimeoutMs: settings.COMPUTE_TIMEOUT_MS,
    computeMaxMemoryMb: settings.COMPUTE_MAX_MEMORY_MB,
    shutdownGraceMs: settings.SHUTDOWN_GRACE_MS,
    registry: registryOf(settings),
    access: accessOf(settings),
    engine: engineOf(settings),
    telemetry: telemetryOf(settings),
  }
}

/** Limits of one request. */
export type ComputeLimits = Pick<Config, 'maxBodyBytes' | 'maxValues' | 'adHocMaxValues'>
