// Named examples of answers, made up and short. A test checks them against the schemas and for consistency. The table
// is rendered from the JSON answer, like every table.
import type { z } from 'zod'
import { isAnomalous } from '../../core/scoring/threshold.ts'
import { CHANNELS } from '../../simulator/channels.ts'
import { answerTable } from '../compute/answer/answer-table.ts'
import { serviceVersion } from '../settings/project.ts'
import type { ComputeAnswer } from '../schemas/compute.ts'
import type { NamedExample } from '../schemas/content.ts'
import { listModel, type ModelDescription } from '../schemas/models.ts'
import { describeSheet } from '../schemas/sensitivity.ts'
import type { Job } from '../schemas/jobs.ts'
import type { FeedbackKeptSchema, Proposal } from '../schemas/feedback.ts'
import type { Versions } from '../schemas/registry.ts'
import type { Status } from '../schemas/status.ts'
import { QUEUE_FULL, TASK_ACCEPTED, type TaskStatusSchema } from '../schemas/task.ts'
import { EXAMPLE_MODEL } from './examples.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const one = (name: string, summary: string, value: unknown): Record<string, NamedExample> => ({
  [name]: { summary, value },
})

const score = [0.31, 0.33, 0.36, 0.42, 0.61, 0.94, 1.27, 1.58]

const answer: ComputeAnswer = {
  model: { name: EXAMPLE_MODEL, version: '1', digest, architecture: 'linear' },
  scoring: 'batch',
  threshold: 1,
  start: '2026-01-01T00:00:00Z',
  step: 'PT10M',
  score,
  isAnomaly: score.map((value) => isAnomalous(value)),
  anomalies: [{
    start: '2026-01-01T01:00:00Z',
    end: '2026-01-01T01:10:00Z',
    peak: '2026-01-01T01:10:00Z',
    peakScore: 1.58,
    kind: 'relation',
    message: 'gearbox_bearing_temp_c does not follow gearbox_oil_temp_c: 71.4, expected 66 ± 2.7',
    channels: [{ name: 'gearbox_bearing_temp_c', contribution: 0.81 }, {
      name: 'gearbox_oil_temp_c',
      contribution: 0.11,
    }, { name: 'rotor_rpm', contribution: 0.03 }],
  }],
  quality: Object.fromEntries(CHANNELS.map((channel) => {
    const gap = channel === 'power_kw' ? [2] : []
    return [channel, { missing: gap.length, imputed: gap, duplicates: 0, outOfOrder: 0 }]
  })),
}

const margins: Record<typeof CHANNELS[number], number> = {
  wind_speed_ms: 1.46,
  power_kw: 362,
  rotor_rpm: 1.9,
  generator_rpm: 187,
  pitch_deg: 15.4,
  ambient_temp_c: 1.08,
  nacelle_temp_c: 2.37,
  gearbox_oil_temp_c: 1.75,
  gearbox_bearing_temp_c: 2.68,
  generator_bearing_temp_c: 3.38,
  vibration_mm_s: 0.345,
}

type Finding = ModelDescription['sensitivity']['findings'][number]

const finding = (
  kind: Finding['kind'],
  [size, length]: readonly [size: number | null, length: number],
  [batch, causal]: readonly [batch: number, causal: number]
): Finding => ({
  channel: 'power_kw',
  kind,
  size,
  length,
  injected: 20,
  batch: { found: batch, named: batch },
  causal: { found: causal, named: causal },
})

const model: ModelDescription = {
  name: EXAMPLE_MODEL,
  version: '1',
  digest,
  goldenDifference: 0,
  description: 'Wind turbines of one farm, 10-minute SCADA means',
  architecture: 'linear',
  channels: [...CHANNELS],
  samplingInterval: 'PT10M',
  windowLength: 8,
  members: [{ windowLength: 8, tail: 8 }],
  maxGap: 3,
  threshold: 1,
  scorings: {
    batch: { smoothing: 37, threshold: 0.305, level: { span: 2001, factor: 1.3 } },
    causal: { smoothing: 31, threshold: 0.332, level: { span: 1001, factor: 1.2 } },
  },
  margins,
  training: {
    observations: 43_200,
    series: 5,
    dataSha256: digest.slice('sha256:'.length),
    tfjs: '4.22.0',
    backend: 'wasm',
  },
  sensitivity: describeSheet({
    observations: 10_800,
    falseAlarms: { batch: 0.37, causal: 0.46 },
    findings: [
      finding('spike', [4, 1], [0.9, 0.7]),
      finding('level', [2, 30], [1, 0.95]),
      finding('quiet', [null, 10], [0.1, 0.05]),
    ],
  }, 600_000),
}

const status: Status = {
  status: 'ready',
  version: serviceVersion,
  uptimeSeconds: 86_400,
  backend: { name: 'kernel', tfjs: '4.22.0' },
  models: [{ name: EXAMPLE_MODEL, version: '1', digest, goldenDifference: 0 }],
  registry: { sources: ['s3://models'], problem: null, refused: [] },
  shadows: [],
  limits: {
    maxBodyBytes: 33_554_432,
    maxValues: 1_000_000,
    adHocMaxValues: 250_000,
    computeWorkers: 4,
    computeQueue: 32,
    computeTimeoutMs: 60_000,
    computeMaxMemoryMb: 1024,
  },
  tasks: { unfinished: 3, untold: 0, limit: 50 },
  engines: [{ url: 'https://engine.example.org', state: 'announced', problem: null }],
}

const at = '2026-04-01T06:00:00.000Z'

const versions: Versions = {
  name: EXAMPLE_MODEL,
  versions: [{ version: 1, digest, publishedAt: at, bytes: 52_736 }],
  aliases: { live: { version: 1, digest, at }, shadow: null },
  history: { live: [{ action: 'promote', version: 1, digest, at }], shadow: [] },
}

const job: Job = {
  id: '00000000-0000-4000-8000-000000000000',
  kind: 'training',
  state: 'running',
  model: EXAMPLE_MODEL,
  createdAt: at,
  endedAt: null,
  progress: { stage: 'train', done: 0.33, messages: ['5 series, 43200 observations train'] },
  result: null,
  problem: null,
}

const feedback: z.output<typeof FeedbackKeptSchema> = {
  id: '20260401060000000-0123abcd',
  at,
  version: '1',
  model: EXAMPLE_MODEL,
  start: '2026-03-30T06:10:00Z',
  end: '2026-03-31T07:00:00Z',
  label: 'false-alarm',
  note: 'maintenance',
}

const proposal: Proposal = {
  model: EXAMPLE_MODEL,
  version: '1',
  digest,
  scoring: 'causal',
  scores: 4032,
  feedback: { used: 1, unused: 0 },
  before: { threshold: 1, anomalies: 3, anomaliesPerWeek: 0.75, falseAlarms: 1, confirmed: 0, missed: 0 },
  after: { threshold: 1.33, anomalies: 2, anomaliesPerWeek: 0.5, falseAlarms: 0, confirmed: 0, missed: 0 },
  reason: 'It removes 1 of 1 false alarms, finds 0 of 0 missed faults, and loses 0 of 0 confirmed anomalies.',
}

/** Examples by name. PNG has none, because text cannot show pixels. */
export const ANSWER_EXAMPLES = {
  compute: one('fault', 'A hot bearing; one missing value was filled', answer),
  table: one('fault', 'The same as a table', answerTable(answer)),
  plot: one('plot', 'A plot, cut short', '<svg width="1200" height="1040" xmlns="http://www.w3.org/2000/svg">…</svg>'),
  models: one('one', 'One model is served', { models: [listModel(model)] }),
  model: one(EXAMPLE_MODEL, 'The model of the simulated wind farm', model),
  status: one('ready', 'One model is served', status),
  versions: one('one', 'One version; it is live', versions),
  published: one('published', 'A new version', {
    name: EXAMPLE_MODEL,
    version: 2,
    digest,
    publishedAt: at,
    existed: false,
    promoted: false,
  }),
  servedNow: one('live', 'Version 2 is served', {
    name: EXAMPLE_MODEL,
    alias: 'live',
    version: 2,
    digest,
    at,
    served: true,
    problem: null,
  }),
  job: one('running', 'A running training', job),
  jobs: one('one', 'One training', { jobs: [job] }),
  feedback: one('falseAlarm', 'A false alarm', feedback),
  feedbackList: one('one', 'Feedback on one interval', { feedback: [feedback] }),
  proposal: one('higher', 'A higher threshold', proposal),
  metrics: one(
    'metrics',
    'Metrics, cut short',
    '# HELP model_served 1 for each version that an alias stands for here.\n# TYPE model_served gauge\n'
  ),
  taskAccepted: one('task', 'The task of an engine was accepted', TASK_ACCEPTED),
  queueFull: one('full', 'The queue of tasks is full', QUEUE_FULL),
  taskStatus: one(
    'processing',
    'The task is being scored',
    { status: 'processing' } satisfies z.output<typeof TaskStatusSchema>
  ),
  taskUnknown: one('unknown', 'The task was never accepted, or ended long ago', {
    status: 'unavailable',
    detail: 'Task 00000000-0000-4000-8000-000000000000 not found',
  }),
  live: one('live', 'The process answers', { live: true }),
  ready: one('ready', 'Series can be scored', { ready: true }),
  openApi: one('document', 'The document, cut short', {
    openapi: '3.1.0',
    info: { title: 'Time-series anomaly detection', version: serviceVersion },
    paths: {},
  }),
  html: one('page', 'A page, cut short', '<!doctype html>\n<html lang="en">…</html>\n'),
} as const
