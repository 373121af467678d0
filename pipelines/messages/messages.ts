// The messages between the steps: topics, schemas of records, and the topic of each type. docs/asyncapi.json is
// generated from this file.
import { z } from 'zod'
import { KINDS } from '../../core/verdicts/kinds.ts'

const series = z.string().min(1).max(200).describe('The series; also the key of the record.')
const instant = z.iso.datetime({ offset: true }).describe('RFC 3339.')
const count = z.int().min(1)
const kind = z.enum(KINDS)

/** channel → value; null: missing. */
const values = z.record(z.string().min(1).max(200), z.number().nullable())

/** Measured values at one instant: any channels, any instant. */
export const RawObservationSchema = z.strictObject({ series, time: instant, values })
export type RawObservation = z.output<typeof RawObservationSchema>

/** All channels of the model at an instant of its grid. */
const RegularObservationSchema = z.strictObject({
  series,
  time: instant,
  interval: count.describe('Sampling interval in milliseconds.'),
  values: values.describe(
    'Every channel of the model. A missing value is null, or filled: then `imputed` names the channel.'
  ),
  imputed: z.array(z.string()).describe('Channels whose value was missing and is filled.'),
})
export type RegularObservation = z.output<typeof RegularObservationSchema>

/** A run: neighbours of one series, in the order of time. */
const RegularRecordSchema = RegularObservationSchema.pick({ series: true, interval: true }).extend({
  observations: z.array(RegularObservationSchema.omit({ series: true, interval: true })).min(1).describe(
    'In the order of time.'
  ),
})

/** Instants of the grid without an observation: more in a row than the model's rule fills. */
const GapSchema = z.strictObject({ series, from: instant, to: instant, interval: count }).describe(
  'No observation came for the instants of the grid from `from` to `to`, both inclusive.'
)
export type Gap = z.output<typeof GapSchema>

const modelVersion = z.strictObject({ name: z.string(), version: z.string(), digest: z.string() })
const shares = z.array(z.strictObject({ channel: z.string(), contribution: z.number() })).describe(
  'Channels with their share, highest first.'
)

/** The detector's verdict on one observation. */
const VerdictSchema = z.strictObject({
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
  kind: kind.exactOptional().describe('What the evidence of an anomalous observation speaks for; else absent.'),
})
export type Verdict = z.output<typeof VerdictSchema>

/** A run: neighbours of one series, in the order of time. */
const VerdictRecordSchema = VerdictSchema.pick({ series: true, model: true, threshold: true }).extend({
  verdicts: z.array(VerdictSchema.omit({ series: true, model: true, threshold: true })).min(1).describe(
    'In the order of time.'
  ),
})

export const SEVERITIES = ['warning', 'critical'] as const

/** Anomalous observations that belong together. The id does not change from opening to closing. */
const IncidentSchema = z.strictObject({
  id: z.string(),
  series,
  model: modelVersion,
  start: instant.describe('First anomalous observation.'),
  end: instant.describe('Last anomalous observation so far.'),
  closed: z.boolean(),
  peak: z.strictObject({ time: instant, score: z.number() }),
  severity: z.enum(SEVERITIES),
  channels: shares,
  observations: count.describe('Number of anomalous observations in it.'),
  kind: kind.exactOptional().describe(
    'Kind of the anomaly so far. Like `message` absent from earlier versions, and where another model closes it.'
  ),
  message: z.string().min(1).max(140).exactOptional().describe(
    'One plain sentence about the first channel: what was observed, and what was expected instead.'
  ),
})
export type Incident = z.output<typeof IncidentSchema>

/** A person's feedback on an incident. */
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

/** Topics of the steps' states. The newest record of each partition is valid. */
export const STATE_TOPICS = { imputer: 'imputer.state.v1', scorer: 'scorer.state.v1' } as const

/** Topic of the dead letters: records that a step cannot use. */
export const deadTopic = (topic: string): string => `${topic}.dead`

/** CloudEvents type → topic, schema of one message, and schema of a record: one message, or a run of them (runs.ts). */
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

/** How the observation behind a message arrived. */
export interface Arrival {
  /** Milliseconds since 1970; the earliest of a run. CloudEvents `time`. */
  readonly receivedAt: number
  /** Its trace, if one is recorded; the same from step to step. CloudEvents `traceparent`. */
  readonly trace?: string | undefined
}

/** For the messages that a step sends because of this one. */
export const arrivalOf = ({ receivedAt, trace }: Arrival): Arrival =>
  trace === undefined ? { receivedAt } : { receivedAt, trace }

/** A message as steps see it. */
export type Message = { readonly [Type in MessageType]: {
  readonly type: Type
  readonly data: z.output<typeof MESSAGES[Type]['schema']>
  /** Equal messages have equal ids, which shows repetitions. CloudEvents `id`. */
  readonly id: string
} & Arrival }[MessageType]

/** Messages of one type. */
export type MessageOf<Type extends MessageType> = Extract<Message, { readonly type: Type }>
