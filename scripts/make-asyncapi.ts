// `npm run asyncapi`: writes docs/asyncapi.json, what travels between the steps, from the schemas that they check it
// with.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { encode } from '../pipelines/messages/cloud-events.ts'
import { deadTopic, MESSAGES, type MessageType, STATE_TOPICS, TOPICS } from '../pipelines/messages/messages.ts'
import { MESSAGE_EXAMPLES, TITLES } from './asyncapi/examples.ts'

export const ASYNCAPI_FILE = join(import.meta.dirname, '../docs/asyncapi.json')

type Json = Record<string, unknown>
type Topic = keyof typeof TOPICS

const SAYS: Readonly<Record<Topic, string>> = {
  raw: 'What sensors said, as it came in: any channels, at any instant, in any order, possibly twice.',
  regular:
    "One observation for every instant of the model's grid, with gaps filled or named. Observations of one " +
      'series that are ready at the same time share a record.',
  verdicts: 'What the detector says of every regular observation; what is said of a series at a time shares a record.',
  incidents: 'Anomalies as they open, go on and close, and what people say of them.',
}

/** step → what it receives and sends. */
const STEPS: Readonly<
  Record<
    string,
    { readonly does: string, readonly receives?: readonly MessageType[], readonly sends?: readonly MessageType[] }
  >
> = {
  collector: { does: 'takes observations over HTTP', sends: ['observation.raw.v1'] },
  imputer: {
    does: 'brings observations onto the grid',
    receives: ['observation.raw.v1'],
    sends: ['observation.regular.v1', 'gap.v1'],
  },
  scorer: {
    does: 'scores',
    receives: ['observation.regular.v1', 'gap.v1'],
    sends: ['verdict.v1', 'incident.opened.v1', 'incident.updated.v1', 'incident.closed.v1'],
  },
  sink: {
    does: 'keeps everything in a database',
    receives: Object.keys(MESSAGES).filter((type) => type !== 'observation.regular.v1') as MessageType[],
  },
  notifier: {
    does: 'tells others of incidents',
    receives: ['incident.opened.v1', 'incident.updated.v1', 'incident.closed.v1', 'incident.annotated.v1'],
  },
  dashboard: {
    does: 'shows it live',
    receives: [
      'gap.v1',
      'verdict.v1',
      'incident.opened.v1',
      'incident.updated.v1',
      'incident.closed.v1',
      'incident.annotated.v1',
    ],
    sends: ['incident.annotated.v1'],
  },
}

const TYPES = Object.keys(MESSAGES) as MessageType[]
const text = (description: string, more: Json = {}): Json => ({ type: 'string', description, ...more })
const ref = (path: string): Json => ({ $ref: `#/${path}` })
const nameOf = (topic: string): Topic => (Object.keys(TOPICS) as Topic[]).find((name) => TOPICS[name] === topic)!

const KEY = text('The series: records of one series are in one partition, in order.', { minLength: 1, maxLength: 200 })

function headersOf (type: MessageType): Json {
  return {
    type: 'object',
    required: ['ce_specversion', 'ce_type', 'ce_source', 'ce_id', 'ce_time', 'content-type'],
    properties: {
      ce_specversion: { const: '1.0' },
      ce_type: { const: type },
      ce_source: text('The step that said it, such as /imputer.'),
      ce_id: text(
        'Equal for equal records. A repeated observation or verdict may share its record with others: its series and ' +
          'its time identify it.',
        { minLength: 1 }
      ),
      ce_time: text(
        'When the observation behind it came in at the collector, of several the earliest; every step carries it on.',
        { format: 'date-time' }
      ),
      ce_traceparent: text(
        'The trace that the record is part of, if there is one: W3C Trace Context, as in the request to the ' +
          'collector. Every step passes it on.',
        { pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' }
      ),
      'content-type': { const: 'application/json' },
    },
  }
}

function payloadOf (type: MessageType): Json {
  const { $schema, ...schema } = z.toJSONSchema(MESSAGES[type].record, { target: 'draft-7', io: 'output' }) as Json
  return schema
}

function messageOf (type: MessageType): Json {
  const { headers, value } = encode(MESSAGE_EXAMPLES[type], `/${sourceOf(type)}`)
  return {
    name: type,
    title: TITLES[type],
    contentType: 'application/json',
    headers: headersOf(type),
    payload: payloadOf(type),
    bindings: { kafka: { key: KEY, bindingVersion: '0.5.0' } },
    examples: [{ name: 'example', headers, payload: JSON.parse(value) as Json }],
  }
}

const sourceOf = (type: MessageType): string =>
  Object.entries(STEPS).find(([, { sends }]) => sends?.includes(type) === true)![0]

function channels (): Json {
  const found: Json = {}
  for (const name of Object.keys(TOPICS) as Topic[]) {
    const address = TOPICS[name]
    const types = TYPES.filter((type) => MESSAGES[type].topic === address)
    const messages = Object.fromEntries(types.map((type) => [type, ref(`components/messages/${type}`)]))
    found[name] = { address, title: address, description: SAYS[name], messages }
    found[`${name}Dead`] = {
      address: deadTopic(address),
      title: deadTopic(address),
      description:
        'Records that a step could not use, unchanged, with headers that say why. `npm run dead` lists them and ' +
          'sends them back; a record that was sent back stays listed.',
      messages: { dead: ref('components/messages/dead') },
    }
  }
  for (const [step, address] of Object.entries(STATE_TOPICS)) {
    found[`${step}State`] = {
      address,
      title: address,
      description: `What the ${step} remembers, partition by partition. Its own business, and no contract.`,
      messages: { state: ref('components/messages/state') },
      bindings: { kafka: { topicConfiguration: { 'cleanup.policy': ['compact'] }, bindingVersion: '0.5.0' } },
    }
  }
  return found
}

const DEAD_HEADERS = {
  dead_reason: text('A code.', { examples: ['invalid-request', 'late'] }),
  dead_detail: text('What is wrong with it.'),
  dead_step: text('The step that rejected it.'),
  dead_topic: text('Where it came from.'),
  dead_partition: text('The partition there.', { pattern: '^[0-9]+$' }),
  dead_offset: text('The offset there.', { pattern: '^[0-9]+$' }),
  dead_at: text('When.', { format: 'date-time' }),
}

function messages (): Json {
  return {
    ...Object.fromEntries(TYPES.map((type) => [type, messageOf(type)])),
    dead: {
      name: 'dead',
      title: 'A record that could not be used',
      headers: {
        type: 'object',
        description: 'Those of the original, and:',
        required: Object.keys(DEAD_HEADERS),
        properties: {
          ...DEAD_HEADERS,
          dead_replays: text('How often it has been sent back.', { pattern: '^[0-9]+$' }),
        },
      },
      payload: { description: 'The value as it was; it may be anything.' },
      contentType: 'application/octet-stream',
    },
    state: { name: 'state', title: 'What a step remembers', payload: { type: 'object' } },
  }
}

function operations (): Json {
  const found: Json = {}
  for (const [step, { does, receives = [], sends = [] }] of Object.entries(STEPS)) {
    for (const [action, types] of [['receive', receives], ['send', sends]] as const) {
      for (const topic of new Set(types.map((type) => MESSAGES[type].topic))) {
        const channel = nameOf(topic)
        found[`${step}.${action}.${channel}`] = {
          action,
          title: `${step} ${action}s ${topic}`,
          summary: `The ${step} ${does}.`,
          channel: ref(`channels/${channel}`),
          messages: types.filter((type) => MESSAGES[type].topic === topic).map((type) =>
            ref(`channels/${channel}/messages/${type}`)
          ),
          ...(action === 'receive' &&
            {
              bindings: {
                kafka: {
                  groupId: { type: 'string', description: 'By default the name of the step.' },
                  bindingVersion: '0.5.0',
                },
              },
            }),
        }
      }
    }
  }
  return found
}

/** The document. A message stays compatible within its version: a member may be added, none changes its meaning. */
export function asyncApi (): Json {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Stream of observations and verdicts',
      version: '1.0.0',
      description:
        'Records are CloudEvents 1.0 in the binary mode of the Kafka binding; the key is the series. Delivery is at ' +
          'least once: repetitions are equal, are identified by series and time, and count once. A step in any ' +
          'language needs to follow only this document.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: '{broker}',
        protocol: 'kafka',
        description: 'One of KAFKA_BROKERS.',
        variables: { broker: { default: 'localhost:9092' } },
      },
    },
    channels: channels(),
    operations: operations(),
    components: { messages: messages() },
  }
}

export const asyncApiText = (): string => `${JSON.stringify(asyncApi(), undefined, 2)}\n`

if (process.argv[1] === import.meta.filename) writeFileSync(ASYNCAPI_FILE, asyncApiText())
