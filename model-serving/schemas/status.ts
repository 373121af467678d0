// The wire format of GET /status, /livez and /readyz.
import { z } from 'zod'
import { goldenDifference } from './models.ts'

export const StatusSchema = z.strictObject({
  status: z.enum(['loading', 'ready']).describe(
    'ready: all models are loaded and have reproduced their golden scores.'
  ),
  version: z.string().describe('Version of the service.'),
  uptimeSeconds: z.number().min(0),
  backend: z.strictObject({ name: z.string(), tfjs: z.string() }).nullable().describe(
    'Backend that computes the models; null until it is loaded.'
  ),
  models: z.array(z.strictObject({ name: z.string(), version: z.string(), digest: z.string(), goldenDifference })),
  registry: z.strictObject({
    sources: z.array(z.string()).describe('Folders and registries that models come from.'),
    problem: z.string().nullable().describe('Why the registry cannot be read; null if it can. The served models stay.'),
    refused: z.array(
      z.strictObject({
        name: z.string(),
        version: z.string(),
        digest: z.string(),
        code: z.string(),
        reason: z.string(),
        at: z.string().meta({ format: 'date-time' }),
      })
    )
      .describe('Versions that an alias stands for but that cannot be used. The previous versions are still served.'),
  }).nullable().describe('The registry that is followed; null if the models are fixed.'),
  shadows: z.array(z.strictObject({
    name: z.string(),
    live: z.string().describe('Version that answered.'),
    shadow: z.string().describe('Version that scored the same series.'),
    series: z.int().min(0).describe('Series that both scored.'),
    skipped: z.int().min(0).describe('Series that the shadow version did not score because answers come first.'),
    failed: z.int().min(0).describe('Series that the shadow version could not score.'),
    observations: z.int().min(0),
    disagreements: z.int().min(0).describe('Observations to which both versions gave different verdicts.'),
    lastFailure: z.string().nullable(),
  })),
  limits: z.strictObject({
    maxBodyBytes: z.int().describe('Largest request body, after decompression.'),
    maxValues: z.int().describe('Most values (observations × channels) in one request.'),
    adHocMaxValues: z.int().describe('Most values that an ad-hoc model is fitted on.'),
    computeWorkers: z.int().describe('Requests that are computed at the same time.'),
    computeQueue: z.int().describe('Most requests that wait; further ones are refused.'),
    computeTimeoutMs: z.int().describe('Most milliseconds to compute one request.'),
    computeMaxMemoryMb: z.int().describe('Most megabytes of JavaScript memory for one request.'),
  }),
  tasks: z.strictObject({
    unfinished: z.int().min(0).describe('Tasks that wait or run.'),
    untold: z.int().min(0).describe('Ended tasks whose outcome the engine has not taken yet.'),
    limit: z.int().describe('Most unfinished tasks; further ones are refused.'),
  }).nullable().describe('Tasks of engines; null if the service takes none.'),
  engines: z.array(z.strictObject({
    url: z.string(),
    state: z.enum(['announcing', 'announced', 'withdrawn']).describe('announced: the engine knows this service.'),
    problem: z.string().nullable().describe(
      'Why the engine does not know this service or does not take its heartbeat; null if it does.'
    ),
  })),
})
export type Status = z.output<typeof StatusSchema>

export const LiveSchema = z.strictObject({ live: z.literal(true) })
export const ReadySchema = z.strictObject({ ready: z.literal(true) })
export const MetricsSchema = z.string()
