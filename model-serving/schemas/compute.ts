// The wire format of POST /compute.
import { z } from 'zod'
import { KINDS } from '../../core/verdicts/kinds.ts'
import { SensitivityAnswerSchema } from './sensitivity.ts'

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
  'sensitivity',
] as const
export type Part = typeof PARTS[number]

/** Parts that have an entry for each observation. */
export const PARTS_BY_OBSERVATION: readonly Part[] = [
  'score',
  'isAnomaly',
  'observed',
  'expected',
  'bounds',
  'contributions',
]

/** Parts of an answer without `include`. */
export const DEFAULT_PARTS: readonly Part[] = ['score', 'isAnomaly', 'anomalies', 'quality']

const MAX_TOP_CHANNELS = 1000

const modelName = z.string().min(1).max(100).describe(
  'Name of a served model. `name@3` selects version 3, `name@live` (the same as `name`) the live version, and ' +
    '`name@shadow` the shadow version. Default: the model with exactly the posted channels. If there is none, ' +
    '`ad-hoc`: a linear model fitted on the posted series itself. You can also name `ad-hoc` explicitly.'
)
const duration = z.string().max(40).meta({ format: 'duration' })

/** Cuts the list before it is checked: each wrong entry would cost an issue. */
const firstFew = (value: unknown): unknown => Array.isArray(value) ? value.slice(0, PARTS.length + 1) : value
const parts = z.array(z.enum(PARTS)).max(PARTS.length)
const partsDescription =
  `Parts of the answer. Default: ${DEFAULT_PARTS.join(', ')}. For an ad-hoc model, sensitivity takes another second.`

const scoring = z.enum(['batch', 'causal'])
  .describe(
    'batch (default): scores with hindsight, for a complete series. causal: each score depends only on the ' +
      'observation and those before it, as in a stream.'
  )
const timestamps = z.enum(['strict', 'repair']).describe(
  'strict: refuse timestamps that do not ascend. repair: sort them, and merge those that fall on the same grid time.'
)
const topChannels = z.int().min(1).max(MAX_TOP_CHANNELS).describe('Most channels listed per anomaly. Default: 3.')
const minDuration = duration.describe(
  'Shortest anomaly to report, as an ISO 8601 duration. An anomaly of n observations lasts n sampling intervals.'
)
const mergeGap = duration.describe(
  'Anomalies at most this far apart are merged, as an ISO 8601 duration. Default: half of the longer one, at least 3 ' +
    'and at most 20 sampling intervals, because one event often falls below the threshold in between, and ' +
    'only where they share channels.'
)

const directionName = z.enum(['both', 'above', 'below'])
const THRESHOLD =
  'An observation is anomalous if its score is greater. Default: 1, the calibrated threshold. Changes verdicts, ' +
  'never scores.'
const falseAlarmsPerDay = z.number().gt(0).describe(
  'Sets the threshold at which normal data is expected to give this many anomalies per day.'
)
const sensitivity = z.number().min(0).max(1).describe(
  'Sets the threshold by sensitivity: 0.5 is the calibrated threshold, 1 the median of normal scores, and 0 the ' +
    'score that normal data exceeds once in a million observations.'
)
const DIRECTION =
  'Report only observations whose main channel lies above (or below) its expected value. The main channel is the one ' +
  'that contributes most to the score. Where the evidence is a mean over several observations, its deviation is the ' +
  'largest one among them. Default: both.'
const adaptive = z.boolean().describe(
  'true (default): a score is relative to the level of the scores around it if most of them, at least 500 in all, ' +
    'lie well above normal. Drift and lasting changes are then not reported forever. false: scores are relative to ' +
    'the calibrated threshold only.'
)

const FIT =
  'Part of the series that an ad-hoc model is fitted on: its beginning, known to be normal. The scores of this part ' +
  'are not held out. Default: the whole series, without the values that stand out. At least 12 observations.'
const fitRows = z.int().min(1).describe('Number of observations, counted from the first one.')
const fitUntil = z.string().max(60).meta({
  format: 'date-time',
  description: 'End of the part, exclusive, as an RFC 3339 time.',
})

const OptionsRequestSchema = z.strictObject({
  scoring: scoring.optional(),
  include: z.preprocess(firstFew, parts).optional().describe(partsDescription),
  topChannels: topChannels.optional(),
  minDuration: minDuration.optional(),
  mergeGap: mergeGap.optional(),
  timestamps: timestamps.optional().describe(
    'strict (default): refuse timestamps that do not ascend. repair: sort and merge them.'
  ),
  threshold: z.union([z.number().gt(0), z.strictObject({ falseAlarmsPerDay }), z.strictObject({ sensitivity })], {
    error: 'a number above 0, {"falseAlarmsPerDay": number above 0} or {"sensitivity": number from 0 to 1}',
  }).optional().describe(THRESHOLD),
  direction: z.union([directionName, z.record(z.string(), directionName)], {
    error: '"both", "above" or "below", or an object of these by channel',
  }).optional().describe(`${DIRECTION} One value for all channels, or an object of channel → direction.`),
  minDeviation: z.record(z.string(), z.number().min(0)).optional()
    .describe(
      'Channel → least deviation of the observed from the expected value, in the unit of the channel. An observation ' +
        'whose main channel is listed is anomalous only if that channel deviates at least this far. Where the ' +
        'evidence is a mean over several observations, the largest deviation among them counts. Other channels are ' +
        'not constrained.'
    ),
  adaptive: adaptive.optional(),
  fit: z.union([z.strictObject({ rows: fitRows }), z.strictObject({ until: fitUntil })], {
    error: '{"rows": whole number from 1} or {"until": time such as 2026-01-31T13:50:00Z}',
  }).optional().describe(FIT),
})
export type OptionsRequest = z.output<typeof OptionsRequestSchema>

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The values are checked when they are copied (compute/read/from-json.ts). */
const channels = z.custom<Readonly<Record<string, unknown>>>(
  (value) => isObject(value) && Object.keys(value).length > 0,
  'an object of at least one channel'
)
  .meta({
    type: 'object',
    minProperties: 1,
    additionalProperties: { type: 'array', items: { type: ['number', 'null'] } },
    description:
      'Channel → one value per observation; null is a missing value. All channels have the same length. ' +
      'Their order does not matter.',
  })

const times = z.custom<readonly unknown[]>(Array.isArray, 'an array of RFC 3339 times')
  .meta({
    type: 'array',
    items: { type: 'string', format: 'date-time' },
    description: 'RFC 3339 time of each observation, ascending. Gaps become missing observations.',
  })

export const ComputeRequestSchema = z.strictObject({
  model: modelName.optional(),
  start: z.string().max(60).optional().meta({
    format: 'date-time',
    description: 'RFC 3339 time of the first observation.',
  }),
  step: duration.optional().describe(
    'Time between observations, as an ISO 8601 duration. A served model needs its own sampling interval.'
  ),
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
  description: 'A series: its channels and exactly one time axis, either `start` and `step` or `timestamps`.',
  oneOf: [{ required: ['start', 'step'] }, { required: ['timestamps'] }],
})
export type ComputeRequest = z.output<typeof ComputeRequestSchema>

const commaList = (value: unknown): unknown =>
  firstFew(typeof value === 'string' ? value.split(',', PARTS.length + 1) : value)
const digits = (value: unknown): unknown => typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value

const DECIMAL_NUMBER = /^-?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})(e-?\d{1,2})?$/i

const decimalNumber = (value: unknown): unknown =>
  typeof value === 'string' && DECIMAL_NUMBER.test(value) ? Number(value) : value

/** Whether no token of a Luxon format occurs twice: the time to read it then stays linear in the length of the text. */
function isPlainFormat (format: string): boolean {
  const tokens = format.replaceAll(/'[^']*'/g, '').match(/([A-Za-z])\1*/g) ?? []
  return new Set(tokens.map((token) => token[0])).size === tokens.length
}

export const ComputeQuerySchema = z.strictObject({
  model: modelName.optional(),
  scoring: scoring.optional(),
  include: z.preprocess(commaList, parts).optional().describe(`${partsDescription} Separated by commas.`),
  topChannels: z.preprocess(digits, topChannels).optional().describe('Most channels listed per anomaly. Default: 3.'),
  minDuration: minDuration.optional(),
  mergeGap: mergeGap.optional(),
  timestamps: timestamps.optional().describe(
    'repair (default): sort the rows, and merge those that fall on the same grid time. strict: refuse rows whose ' +
      'timestamps do not ascend.'
  ),
  threshold: z.preprocess(decimalNumber, z.number().gt(0)).optional().describe(THRESHOLD),
  falseAlarmsPerDay: z.preprocess(decimalNumber, falseAlarmsPerDay).optional().describe(
    'Instead of `threshold`: sets the threshold at which normal data is expected to give this many anomalies per day.'
  ),
  sensitivity: z.preprocess(decimalNumber, sensitivity).optional().describe(
    'Instead of `threshold`: sets the threshold by sensitivity, from 0 to 1. 0.5 is the calibrated threshold, 1 the ' +
      'median of normal scores.'
  ),
  direction: directionName.optional().describe(DIRECTION),
  adaptive: z.enum(['true', 'false']).transform((text) => text === 'true').optional().describe(
    'true (default): lasting changes and drift are not reported forever. false: scores are relative to the ' +
      'calibrated threshold only, however long they stay high.'
  ),
  fitRows: z.preprocess(digits, fitRows).optional().describe(`${FIT} This is its number of observations.`),
  fitUntil: fitUntil.optional().meta({
    description: `${FIT} This is the time at which it ends, exclusive. Not together with \`fitRows\`.`,
  }),
  delimiter: z.enum([',', ';', '\t', '|']).optional().describe('Delimiter of a CSV body. Default: detected.'),
  decimal: z.enum(['.', ',']).optional().describe('Decimal mark of a CSV body. Default: detected.'),
  timestampColumn: z.string().min(1).max(200).optional().describe(
    'Name of the time column of a CSV body. Default: detected.'
  ),
  timestampFormat: z.string().min(1).max(60).refine(isPlainFormat, 'each token at most once').optional()
    .describe('Luxon format of the times in a CSV body, e.g. `dd.MM.yyyy HH:mm`. Default: detected.'),
}).refine(({ fitRows, fitUntil }) => fitRows === undefined || fitUntil === undefined, {
  message: 'not together with fitRows',
  path: ['fitUntil'],
})
  .refine(
    ({ threshold, falseAlarmsPerDay, sensitivity }) =>
      [threshold, falseAlarmsPerDay, sensitivity].filter((value) => value !== undefined).length <= 1,
    { message: 'only one of threshold, falseAlarmsPerDay and sensitivity', path: ['threshold'] }
  )
export type ComputeQuery = z.output<typeof ComputeQuerySchema>

export const CsvBodySchema = z.string().describe(
  'A table with one column per channel of the model, and usually a timestamp column. Without timestamps, the rows ' +
    'are observations at equal distances. Empty cells are missing values.'
)
export const FormBodySchema = z.strictObject({
  file: z.string().describe('The same table as a file.').meta({ contentMediaType: 'text/csv' }),
})

const values = z.array(z.number().nullable())
const byChannel = z.record(z.string(), values)
const time = z.string().meta({ format: 'date-time' })

const KIND =
  'spike: one to four values stand out. level: values stay above or below what is expected. variance: they vary more ' +
  'than usual. seasonal: usual values, but not at this time of the day, the week or another cycle. quiet: values do ' +
  'not change, or hardly. relation: the channel does not follow the others. pattern: the shape is unusual.'

const AnomalySchema = z.strictObject({
  start: time.describe('Time of the first anomalous observation.'),
  end: time.describe('Time of the last anomalous observation.'),
  peak: time.describe('Time of the observation with the most evidence: that of the highest score.'),
  peakScore: z.number(),
  kind: z.enum(KINDS).describe(KIND),
  message: z.string().min(1).max(140).describe(
    'One plain sentence about the first channel: what was observed, and what was expected instead. Times are UTC.'
  ),
  channels: z.array(z.strictObject({ name: z.string(), contribution: z.number() })).describe(
    'Channels that contribute most to the anomaly, highest contribution first.'
  ),
})

const ChangepointSchema = z.strictObject({
  timestamp: time.describe('First observation of the new state.'),
  confidence: z.number().min(0).max(1).describe(
    '0.5: barely clear enough to report. The clearer the change, the closer to 1.'
  ),
  direction: z.enum(['up', 'down', 'wider', 'narrower']).describe(
    'How the channels changed: up or down is a change of the mean, wider or narrower of the spread.'
  ),
  channels: z.array(z.string()).describe('Channels that changed, the clearest change first. At most `topChannels`.'),
})

const ChannelQualitySchema = z.strictObject({
  missing: z.int().min(0).describe('Observations without a value.'),
  imputed: z.array(z.int().min(0)).describe('Indices of the missing values that were filled before scoring.'),
  duplicates: z.int().min(0).describe('Further values for a time that already had one. The last one counts.'),
  outOfOrder: z.int().min(0).describe('Values that came after a value of a later time.'),
})

export const ComputeAnswerSchema = z.strictObject({
  model: z.strictObject({
    name: z.string(),
    version: z.string().describe('Number of the version in the registry. Without a registry, the package\'s version.'),
    digest: z.string(),
    architecture: z.string(),
    stale: z.literal(true).exactOptional().describe(
      'true if the version was published longer ago than MODEL_MAX_AGE, or if its scores have drifted from those it ' +
        'was calibrated on. Train it again. Staleness does not change the scores.'
    ),
  }).describe('The model that scored the series. `ad-hoc` was fitted on it; its digest covers all that was fitted.'),
  scoring,
  threshold: z.number().describe(
    'An observation is anomalous if its score is greater. 1 unless the request sets another threshold.'
  ),
  start: time.describe('Time of the first observation on the grid, UTC.'),
  step: z.string().meta({ format: 'duration' }).describe('Sampling interval of the grid.'),
  numbered: z.literal(true).exactOptional().describe(
    'true if the table had no timestamps. All times in the answer are then made up: observation n is at ' +
      'start + n · step.'
  ),
  timestamps: z.array(time).exactOptional().describe(
    'Times of the grid. Present if the request had timestamps and a part of the answer has an entry per observation.'
  ),
  notices: z.array(z.string()).exactOptional().describe(
    'What a model that was fitted on the series could not learn from it, and what it left out, in plain sentences. ' +
      'Absent if there is nothing to say.'
  ),
  score: values.exactOptional().describe('Score of each observation; null if not scored, as in warm-up and in gaps.'),
  isAnomaly: z.array(z.boolean().nullable()).exactOptional(),
  observed: byChannel.exactOptional().describe('The posted values on the grid.'),
  expected: byChannel.exactOptional().describe('Values that the model expected, in the unit of the channel.'),
  lower: byChannel.exactOptional().describe('Lower end of the expected band.'),
  upper: byChannel.exactOptional().describe('Upper end of the expected band.'),
  contributions: byChannel.exactOptional().describe(
    'Share of each channel in the score; the shares of an observation sum to 1.'
  ),
  anomalies: z.array(AnomalySchema).exactOptional(),
  changepoints: z.array(ChangepointSchema).exactOptional().describe(
    'Times from which the process stays different. An anomaly, in contrast, passes.'
  ),
  quality: z.record(z.string(), ChannelQualitySchema).exactOptional(),
  sensitivity: SensitivityAnswerSchema.exactOptional(),
}).describe('Arrays are aligned with the grid: entry t belongs to the time start + t · step.')
export type ComputeAnswer = z.output<typeof ComputeAnswerSchema>
