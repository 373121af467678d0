// The wire format of GET /status, /livez and /readyz.
import { z } from 'zod'
import { goldenDifference } from './models.ts'

export const StatusSchema = z.strictObject({
  status: z.enum(['loading', 'ready']).describe(
    'ready once the models are loaded and have reproduced their golden scores.'
  ),
  version: z.string().describe('Version of the service.'),
  uptimeSeconds: z.number().min(0),
  backend: z.strictObject({ name: z.string(), tfjs: z.string() }).nullable().describe(
    'What computes; null until it is loaded.'
  ),
  models: z.array(z.strictObject({ name: z.string(), version: z.string(), digest: z.string(), goldenDifference })),
  registry: z.strictObject({
    sources: z.array(z.string()).describe('Where models come from.'),
    problem: z.string().nullable().describe('What keeps it from being looked at; what is served stays.'),
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
      .describe('Versions that an alias stands for and that cannot be used; what was served before goes on.'),
  }).nullable().describe('What models follow; null where they are fixed.'),
  shadows: z.array(z.strictObject({
    name: z.string(),
    live: z.string().describe('Version that answered.'),
    shadow: z.string().describe('Version that scored the same.'),
    series: z.int().min(0).describe('Series that both scored.'),
    skipped: z.int().min(0).describe('Series that the shadow did not score, because there was more to answer.'),
    failed: z.int().min(0).describe('Series that it could not score.'),
    observations: z.int().min(0),
    disagreements: z.int().min(0).describe('Observations with another verdict.'),
    lastFailure: z.string().nullable(),
  })),
  limits: z.strictObject({
    maxBodyBytes: z.int().describe('Largest request body, after decompression.'),
    maxValues: z.int().describe('Most values (observations times channels) in one request.'),
    adHocMaxValues: z.int().describe('Most values that a model is fitted on for one request.'),
    computeWorkers: z.int().describe('Requests that are computed at the same time.'),
    computeQueue: z.int().describe('Requests that wait; further ones are refused.'),
    computeTimeoutMs: z.int().describe('Longest time that one request may be computed.'),
    computeMaxMemoryMb: z.int().describe('Most JavaScript memory of one request.'),
  }),
  tasks: z.strictObject({
    unfinished: z.int().min(0).describe('Wait or run.'),
    untold: z.int().min(0).describe('Done, but their engine has not heard of it yet.'),
    limit: z.int().describe('Most that may be unfinished; further ones are refused.'),
  }).nullable().describe('Tasks of engines; null where none are taken.'),
  engines: z.array(z.strictObject({
    url: z.string(),
    state: z.enum(['announcing', 'announced', 'withdrawn']).describe('announced: the engine knows this service.'),
    problem: z.string().nullable().describe('What keeps the engine from knowing it, or from taking its heartbeat.'),
  })),
})
export type Status = z.output<typeof StatusSchema>

export const LiveSchema = z.strictObject({ live: z.literal(true) })
export const ReadySchema = z.strictObject({ ready: z.literal(true) })
export const MetricsSchema = z.string()
