// The wire format of POST /compute.
import { z } from 'zod'

export const PARTS = [
  'score',
  'isAnomaly',
  'observed',
  'expected',
  'bounds',
  'contributions',
  'anomalies',
  'changepoints',
  'quality',
] as const
export type Part = typeof PARTS[number]

/** Parts that hold an entry for each observation. */
export const PARTS_BY_OBSERVATION: readonly Part[] = [
  'score',
  'isAnomaly',
  'observed',
  'expected',
  'bounds',
  'contributions',
]

/** Parts of an answer that are sent unless `include` says otherwise. */
export const DEFAULT_PARTS: readonly Part[] = ['score', 'isAnomaly', 'anomalies', 'quality']

const MAX_TOP_CHANNELS = 1000

const modelName = z.string().min(1).max(100).describe(
  'Name of a served model; `name@3` is its version 3, `name@live` (the same as `name`) the one that is served, `name@shadow` the one that is tried beside it. Default: the one whose channels are exactly the posted ones; where there is none, `ad-hoc`: a linear model fitted on the posted series itself. `ad-hoc` can also be named.'
)
const duration = z.string().max(40).meta({ format: 'duration' })

/** Bounded before its entries are looked at: each wrong one would cost an issue. */
const firstFew = (value: unknown): unknown => Array.isArray(value) ? value.slice(0, PARTS.length + 1) : value
const parts = z.array(z.enum(PARTS)).max(PARTS.length)
const partsDescription = `Parts of the answer. Default: ${DEFAULT_PARTS.join(', ')}.`

const scoring = z.enum(['batch', 'causal'])
  .describe(
    'batch (default) scores with hindsight, for a series that is there as a whole; causal looks back only, as a stream does.'
  )
const timestamps = z.enum(['strict', 'repair']).describe(
  'strict refuses timestamps that do not ascend; repair sorts them and merges those of one grid time.'
)
const topChannels = z.int().min(1).max(MAX_TOP_CHANNELS).describe('Channels named in each anomaly. Default 3.')
const minDuration = duration.describe(
  'Shortest anomaly that is told, ISO 8601. One of n observations lasts n sampling intervals.'
)
const mergeGap = duration.describe('Anomalies at most this far apart become one, ISO 8601.')

const side = z.enum(['both', 'above', 'below'])
const THRESHOLD =
  'Score above which an observation is anomalous, instead of 1, the calibrated one. Changes verdicts, never scores.'
const falseAlarmsPerDay = z.number().gt(0).describe(
  'The threshold at which normal data are expected to give so many anomalies a day.'
)
const sensitivity = z.number().min(0).max(1).describe(
  '½ is the calibrated threshold, 1 the median of normal scores, 0 what normal data exceed once in a million observations.'
)
const DIRECTION =
  'Only anomalies in which the channel that contributes most lies above, or below, its expected value, where it is farthest from it among the observations that the score is a mean of. Default: both.'
const adaptive = z.boolean().describe(
  'Scores are relative to the level of the scores around them where most of at least 500 lie well above what is normal, so that drift and lasting change are not flagged for ever. false: relative to the calibrated threshold alone. Default true.'
)

const FIT =
  'What an ad-hoc model is fitted on: the first part of the series, known to be normal (its own scores are not held out). Default: the whole series, with what fits worst by far left out. At least 48 observations.'
const fitRows = z.int().min(1).describe('Number of observations from the first on.')
const fitUntil = z.string().max(60).meta({
  format: 'date-time',
  description: 'The observations before this time, RFC 3339.',
})

const OptionsRequestSchema = z.strictObject({
  scoring: scoring.optional(),
  include: z.preprocess(firstFew, parts).optional().describe(partsDescription),
  topChannels: topChannels.optional(),
  minDuration: minDuration.optional(),
  mergeGap: mergeGap.optional(),
  timestamps: timestamps.optional().describe(
    'strict (default) refuses timestamps that do not ascend; repair sorts and merges them.'
  ),
  threshold: z.union([z.number().gt(0), z.strictObject({ falseAlarmsPerDay }), z.strictObject({ sensitivity })], {
    error: 'a number above 0, {"falseAlarmsPerDay": number above 0} or {"sensitivity": number from 0 to 1}',
  }).optional().describe(THRESHOLD),
  direction: z.union([side, z.record(z.string(), side)], {
    error: '"both", "above" or "below", or an object of these by channel',
  }).optional().describe(`${DIRECTION} One for all channels, or channel → direction.`),
  minDeviation: z.record(z.string(), z.number().min(0)).optional()
    .describe(
      'Channel → least distance between observed and expected value, in its unit, the largest one among the observations that the score is a mean of. Where a listed channel contributes most, its observation is anomalous only from that distance on; other channels are not constrained.'
    ),
  adaptive: adaptive.optional(),
  fit: z.union([z.strictObject({ rows: fitRows }), z.strictObject({ until: fitUntil })], {
    error: '{"rows": whole number from 1} or {"until": time such as 2026-01-31T13:50:00Z}',
  }).optional().describe(FIT),
})
export type OptionsRequest = z.output<typeof OptionsRequestSchema>

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The values are checked where they are copied (compute/from-json.ts): once, and with their place. */
const channels = z.custom<Readonly<Record<string, unknown>>>(
  (value) => isObject(value) && Object.keys(value).length > 0,
  'an object of at least one channel'
)
  .meta({
    type: 'object',
    minProperties: 1,
    additionalProperties: { type: 'array', items: { type: ['number', 'null'] } },
    description:
      'Channel → one value for each observation, null where it is missing. All channels have the same length; any order.',
  })

const times = z.custom<readonly unknown[]>(Array.isArray, 'an array of RFC 3339 times')
  .meta({
    type: 'array',
    items: { type: 'string', format: 'date-time' },
    description: 'Time of each observation, RFC 3339, ascending. Gaps become missing observations.',
  })

export const ComputeRequestSchema = z.strictObject({
  model: modelName.optional(),
  start: z.string().max(60).optional().meta({
    format: 'date-time',
    description: 'Time of the first observation, RFC 3339.',
  }),
  step: duration.optional().describe('Time between observations, ISO 8601; the sampling interval of a served model.'),
  timestamps: times.optional(),
  channels,
  options: OptionsRequestSchema.optional(),
}).superRefine(({ start, step, timestamps }, context) => {
  const axis = (message: string, ...path: string[]): void => context.addIssue({ code: 'custom', message, path })
  if (timestamps !== undefined) {
    if (start !== undefined) axis('not together with timestamps', 'start')
    if (step !== undefined) axis('not together with timestamps', 'step')
  } else if (start === undefined || step === undefined) {
    axis('start and step, or timestamps, are required', start === undefined ? 'start' : 'step')
  }
}).meta({
  description: 'A series: its channels, and exactly one time axis (start + step, or timestamps).',
  oneOf: [{ required: ['start', 'step'] }, { required: ['timestamps'] }],
})
export type ComputeRequest = z.output<typeof ComputeRequestSchema>

const commaList = (value: unknown): unknown =>
  firstFew(typeof value === 'string' ? value.split(',', PARTS.length + 1) : value)
const digits = (value: unknown): unknown => typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value

const decimalNumber = (value: unknown): unknown =>
  typeof value === 'string' && /^(\d{1,15}(\.\d{0,15})?|\.\d{1,15})(e-?\d{1,2})?$/i.test(value) ? Number(value) : value

/** A Luxon format in which no token stands twice: reading time stays linear in the text. */
function isPlainFormat (format: string): boolean {
  const tokens = format.replaceAll(/'[^']*'/g, '').match(/([A-Za-z])\1*/g) ?? []
  return new Set(tokens.map((token) => token[0])).size === tokens.length
}

export const ComputeQuerySchema = z.strictObject({
  model: modelName.optional(),
  scoring: scoring.optional(),
  include: z.preprocess(commaList, parts).optional().describe(`${partsDescription} Separated by commas.`),
  topChannels: z.preprocess(digits, topChannels).optional().describe('Channels named in each anomaly. Default 3.'),
  minDuration: minDuration.optional(),
  mergeGap: mergeGap.optional(),
  timestamps: timestamps.optional().describe(
    'repair (default) sorts the rows and merges those of one grid time; strict refuses them.'
  ),
  threshold: z.preprocess(decimalNumber, z.number().gt(0)).optional().describe(THRESHOLD),
  falseAlarmsPerDay: z.preprocess(decimalNumber, falseAlarmsPerDay).optional().describe(
    'Instead of `threshold`: the one at which normal data are expected to give so many anomalies a day.'
  ),
  sensitivity: z.preprocess(decimalNumber, sensitivity).optional().describe(
    'Instead of `threshold`, from 0 to 1: ½ is the calibrated one, 1 the median of normal scores.'
  ),
  direction: side.optional().describe(DIRECTION),
  adaptive: z.enum(['true', 'false']).transform((text) => text === 'true').optional().describe(
    'false: scores are relative to the calibrated threshold alone, however long they stay high. Default true.'
  ),
  fitRows: z.preprocess(digits, fitRows).optional().describe(`${FIT} As a number of observations.`),
  fitUntil: fitUntil.optional().meta({
    description: `${FIT} As the time before which it ends; not together with fitRows.`,
  }),
  delimiter: z.enum([',', ';', '\t', '|']).optional().describe('Between the cells of a CSV body. Default: detected.'),
  decimal: z.enum(['.', ',']).optional().describe('Decimal mark of a CSV body. Default: detected.'),
  timestampColumn: z.string().min(1).max(200).optional().describe(
    'Column of a CSV body that holds the times. Default: detected.'
  ),
  timestampFormat: z.string().min(1).max(60).refine(isPlainFormat, 'each token at most once').optional()
    .describe('Luxon format of the times in a CSV body, e.g. `dd.MM.yyyy HH:mm`. Default: detected.'),
}).refine(({ fitRows, fitUntil }) => fitRows === undefined || fitUntil === undefined, {
  message: 'not together with fitRows',
  path: ['fitUntil'],
})
  .refine(
    ({ threshold, falseAlarmsPerDay, sensitivity }) =>
      [threshold, falseAlarmsPerDay, sensitivity].filter((one) => one !== undefined).length <= 1,
    { message: 'only one of threshold, falseAlarmsPerDay and sensitivity', path: ['threshold'] }
  )
export type ComputeQuery = z.output<typeof ComputeQuerySchema>

export const CsvBodySchema = z.string().describe(
  'A table: a timestamp column, or rows at equal distances without one; one column for each channel of the model; empty cells are missing values.'
)
export const FormBodySchema = z.strictObject({
  file: z.string().describe('The same table as a file.').meta({ contentMediaType: 'text/csv' }),
})

const values = z.array(z.number().nullable())
const byChannel = z.record(z.string(), values)
const time = z.string().meta({ format: 'date-time' })

const AnomalySchema = z.strictObject({
  start: time.describe('Time of the first anomalous observation.'),
  end: time.describe('Time of the last one.'),
  peak: time.describe('Time of the highest score.'),
  peakScore: z.number(),
  channels: z.array(z.strictObject({ name: z.string(), contribution: z.number() })).describe(
    'The channels to blame, highest share first.'
  ),
})

const ChangepointSchema = z.strictObject({
  timestamp: time.describe('First observation of the new state.'),
  confidence: z.number().min(0).max(1).describe('½ where the change just counts, towards 1 the clearer it is.'),
  direction: z.enum(['up', 'down', 'wider', 'narrower']).describe(
    'What changed: the mean, or else the spread around it.'
  ),
  channels: z.array(z.string()).describe('Channels that changed, clearest first; at most `topChannels`.'),
})

const ChannelQualitySchema = z.strictObject({
  missing: z.int().min(0).describe('Observations without a value.'),
  imputed: z.array(z.int().min(0)).describe('Indices of the missing values that were filled before scoring.'),
  duplicates: z.int().min(0).describe('Values for a time that already had one; the last one counts.'),
  outOfOrder: z.int().min(0).describe('Values that came after one of a later time.'),
})

export const ComputeAnswerSchema = z.strictObject({
  model: z.strictObject({
    name: z.string(),
    version: z.string().describe('Its number in the registry; without one, what its package says.'),
    digest: z.string(),
    architecture: z.string(),
    stale: z.literal(true).exactOptional().describe(
      'Published longer ago than MODEL_MAX_AGE, or its scores have drifted from what it was calibrated on: time to train again. The scores are what they are.'
    ),
  }).describe('`ad-hoc` where it was fitted on the posted series; its digest covers all that was fitted.'),
  scoring,
  threshold: z.number().describe(
    'An observation is anomalous when its score is greater; 1 unless `options.threshold` asks for another.'
  ),
  start: time.describe('Time of the first observation of the grid, UTC.'),
  step: z.string().meta({ format: 'duration' }).describe('Sampling interval of the grid.'),
  numbered: z.literal(true).exactOptional().describe(
    'The table had no timestamps: all times here are made up, observation n stands at start + n · step.'
  ),
  timestamps: z.array(time).exactOptional().describe(
    'Times of the grid, where the request gave times and a part of the answer has an entry for each observation.'
  ),
  score: values.exactOptional().describe('null where not scored: in warm-up and in gaps.'),
  isAnomaly: z.array(z.boolean().nullable()).exactOptional(),
  observed: byChannel.exactOptional().describe('The posted values on the grid.'),
  expected: byChannel.exactOptional().describe('What the model expected, in each channel\'s unit.'),
  lower: byChannel.exactOptional().describe('Lower end of the expected band around the expected value.'),
  upper: byChannel.exactOptional().describe('Upper end of the expected band around the expected value.'),
  contributions: byChannel.exactOptional().describe(
    'Share of each channel in the score; the shares of an observation sum to 1.'
  ),
  anomalies: z.array(AnomalySchema).exactOptional(),
  changepoints: z.array(ChangepointSchema).exactOptional().describe(
    'Times after which the process stays different, as opposed to an anomaly that passes.'
  ),
  quality: z.record(z.string(), ChannelQualitySchema).exactOptional(),
}).describe('Arrays are aligned with the grid: entry t belongs to start + t · step.')
export type ComputeAnswer = z.output<typeof ComputeAnswerSchema>
