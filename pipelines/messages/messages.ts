// What travels between the steps: topics, the schema of every record, and which event type stands where.
// docs/asyncapi.json says the same.
import { z } from 'zod'

const series = z.string().min(1).max(200).describe('The series that this is of; the key of the record.')
const instant = z.iso.datetime({ offset: true }).describe('RFC 3339.')
const count = z.int().min(1)

/** channel → value; null is missing. */
const values = z.record(z.string().min(1).max(200), z.number().nullable())

/** What a sensor said at one instant; any channels, at any instant. */
export const RawObservationSchema = z.strictObject({ series, time: instant, values })
export type RawObservation = z.output<typeof RawObservationSchema>

/** All channels of the model at an instant of its grid. */
export const RegularObservationSchema = z.strictObject({
  series,
  time: instant,
  interval: count.describe('Sampling interval in milliseconds.'),
  values: values.describe(
    'Every channel of the model, filled where `imputed` names it, else null where it is missing.'
  ),
  imputed: z.array(z.string()).describe('Channels whose value was missing and has been filled.'),
})
export type RegularObservation = z.output<typeof RegularObservationSchema>

/** Neighbouring ones of a series, in the order of time. */
const RegularRecordSchema = RegularObservationSchema.pick({ series: true, interval: true }).extend({
  observations: z.array(RegularObservationSchema.omit({ series: true, interval: true })).min(1).describe(
    'In the order of time.'
  ),
})

/** Instants of the grid without an observation, more than the model's rule fills. */
export const GapSchema = z.strictObject({ series, from: instant, to: instant, interval: count }).describe(
  'Instants of the grid from `from` to `to`, both inclusive, of which nothing came.'
)
export type Gap = z.output<typeof GapSchema>

const modelVersion = z.strictObject({ name: z.string(), version: z.string(), digest: z.string() })
const shares = z.array(z.strictObject({ channel: z.string(), contribution: z.number() })).describe(
  'Channels by their share, highest first.'
)

/** What the detector says of one observation. */
export const VerdictSchema = z.strictObject({
  series,
  time: instant,
  model: modelVersion,
  score: z.number().nullable().describe('null: not scored (warm-up, gap).'),
  anomalous: z.boolean().nullable(),
  threshold: z.number(),
  contributions: shares.nullable(),
  values,
  expected: z.record(z.string(), z.number()).nullable().describe('What the model expected, channel by channel.'),
  imputed: z.array(z.string()),
})
export type Verdict = z.output<typeof VerdictSchema>

/** Neighbouring ones of a series, in the order of time. */
const VerdictRecordSchema = VerdictSchema.pick({ series: true, model: true, threshold: true }).extend({
  verdicts: z.array(VerdictSchema.omit({ series: true, model: true, threshold: true })).min(1).describe(
    'In the order of time.'
  ),
})

export const SEVERITIES = ['warning', 'critical'] as const

/** Anomalous observations that belong together. The id stays the same from opening to closing. */
export const IncidentSchema = z.strictObject({
  id: z.string(),
  series,
  model: modelVersion,
  start: instant.describe('First anomalous observation.'),
  end: instant.describe('Last anomalous observation so far.'),
  closed: z.boolean(),
  peak: z.strictObject({ time: instant, score: z.number() }),
  severity: z.enum(SEVERITIES),
  channels: shares,
  observations: count.describe('Anomalous observations in it.'),
})
export type Incident = z.output<typeof IncidentSchema>

/** What a person says of an incident. */
export const AnnotationSchema = z.strictObject({
  incident: z.string(),
  series,
  at: instant,
  kind: z.enum(['acknowledged', 'false-alarm', 'confirmed']),
  note: z.string().max(2000).exactOptional(),
})
export type Annotation = z.output<typeof AnnotationSchema>

export const TOPICS = {
  raw: 'observations.raw.v1',
  regular: 'observations.regular.v1',
  verdicts: 'verdicts.v1',
  incidents: 'incidents.v1',
} as const

/** Where a step keeps its state, partition by partition: the newest record of each counts. */
export const STATE_TOPICS = { imputer: 'imputer.state.v1', scorer: 'scorer.state.v1' } as const

/** Where records go that a step cannot use. */
export const deadTopic = (topic: string): string => `${topic}.dead`

/**
 * CloudEvents type → where it travels, what one message says, and what a record holds: one message, or a run of them
 * (runs.ts).
 */
export const MESSAGES = {
  'observation.raw.v1': { topic: TOPICS.raw, schema: RawObservationSchema, record: RawObservationSchema },
  'observation.regular.v1': { topic: TOPICS.regular, schema: RegularObservationSchema, record: RegularRecordSchema },
  'gap.v1': { topic: TOPICS.regular, schema: GapSchema, record: GapSchema },
  'verdict.v1': { topic: TOPICS.verdicts, schema: VerdictSchema, record: VerdictRecordSchema },
  'incident.opened.v1': { topic: TOPICS.incidents, schema: IncidentSchema, record: IncidentSchema },
  'incident.updated.v1': { topic: TOPICS.incidents, schema: IncidentSchema, record: IncidentSchema },
  'incident.closed.v1': { topic: TOPICS.incidents, schema: IncidentSchema, record: IncidentSchema },
  'incident.annotated.v1': { topic: TOPICS.incidents, schema: AnnotationSchema, record: AnnotationSchema },
} as const

export type MessageType = keyof typeof MESSAGES

/** How the observation behind a message came in. */
export interface Arrival {
  /** Milliseconds since 1970: CloudEvents `time`; of a run the earliest. */
  readonly receivedAt: number
  /**
   * The trace that it is part of, where somebody records one: CloudEvents `traceparent`, the same from step to step.
   */
  readonly trace?: string | undefined
}

/** To be handed on to what is said because of it. */
export const arrivalOf = ({ receivedAt, trace }: Arrival): Arrival =>
  trace === undefined ? { receivedAt } : { receivedAt, trace }

/** A message as steps see it. */
export type Message = { readonly [Type in MessageType]: {
  readonly type: Type
  readonly data: z.output<typeof MESSAGES[Type]['schema']>
  /** Equal for equal things, so that a repetition can be told: CloudEvents `id`. */
  readonly id: string
} & Arrival }[MessageType]

/** Messages of one type. */
export type MessageOf<Type extends MessageType> = Extract<Message, { readonly type: Type }>
