// One example of each message, for docs/asyncapi.json.
import type { Incident, Message, MessageOf, MessageType } from '../../pipelines/messages/messages.ts'

export const TITLES: Readonly<Record<MessageType, string>> = {
  'observation.raw.v1': 'What a sensor said',
  'observation.regular.v1': 'Observations of a series on the grid',
  'gap.v1': 'Nothing came for longer than is filled',
  'verdict.v1': 'What the detector says of observations of a series',
  'incident.opened.v1': 'An anomaly has begun',
  'incident.updated.v1': 'An anomaly goes on, and has changed',
  'incident.closed.v1': 'An anomaly is over',
  'incident.annotated.v1': 'What a person says of an incident',
}

const receivedAt = Date.UTC(2026, 0, 31, 13, 50, 2)
const series = 'T03'
const time = '2026-01-31T13:50:00.000Z'
const model = {
  name: 'wind-turbine',
  version: '3',
  digest: 'sha256:bb36be53455cb0a6c2c96d37f89743e9e942cbd873d66fe4774966fac3b3414d',
}
const values = { wind_speed_ms: 8.4, power_kw: 1210 }
const channels = [{ channel: 'vibration_mm_s', contribution: 0.8 }, { channel: 'power_kw', contribution: 0.2 }]

const incident: Incident = {
  id: 'T03/2026-01-31T13:50:00.000Z',
  series,
  model,
  start: time,
  end: '2026-01-31T14:10:00.000Z',
  closed: false,
  peak: { time: '2026-01-31T14:00:00.000Z', score: 2.31 },
  severity: 'critical',
  channels,
  observations: 3,
}

function example<Type extends MessageType> (
  type: Type,
  data: MessageOf<Type>['data'],
  id: string = `${series}/${time}`
): Message {
  return { type, id, receivedAt, data } as Message
}

export const MESSAGE_EXAMPLES: Readonly<Record<MessageType, Message>> = {
  'observation.raw.v1': example('observation.raw.v1', {
    series,
    time: '2026-01-31T13:49:58Z',
    values: { ...values, gearbox_oil_temp_c: null },
  }, 'HIQ2Hp5eQ3kUwQq0rO3mLzVQ2n4'),
  'observation.regular.v1': example('observation.regular.v1', {
    series,
    time,
    interval: 600_000,
    values: { ...values, gearbox_oil_temp_c: 44.1 },
    imputed: ['gearbox_oil_temp_c'],
  }),
  'gap.v1': example(
    'gap.v1',
    { series, from: time, to: '2026-01-31T15:20:00.000Z', interval: 600_000 },
    `${series}/${time}/gap`
  ),
  'verdict.v1': example('verdict.v1', {
    series,
    time,
    model,
    score: 2.31,
    anomalous: true,
    threshold: 1,
    contributions: channels,
    values,
    expected: { wind_speed_ms: 8.1, power_kw: 1190 },
    imputed: [],
  }),
  'incident.opened.v1': example('incident.opened.v1', {
    ...incident,
    end: time,
    peak: { time, score: 1.2 },
    severity: 'warning',
    observations: 1,
  }),
  'incident.updated.v1': example('incident.updated.v1', incident),
  'incident.closed.v1': example('incident.closed.v1', { ...incident, closed: true }),
  'incident.annotated.v1': example('incident.annotated.v1', {
    incident: incident.id,
    series,
    at: '2026-01-31T15:00:00.000Z',
    kind: 'false-alarm',
    note: 'The brake was tested.',
  }),
}
