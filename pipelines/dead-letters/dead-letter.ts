// A dead letter: a record that a step could not use, unchanged, with headers that say why.
import type { Headers, LogRecord, NewRecord } from '../messages/log.ts'
import { deadTopic } from '../messages/messages.ts'

interface Rejection {
  /** A code in kebab-case. */
  readonly reason: string
  /** A sentence for people: what is wrong with it. */
  readonly detail: string
  /** Name of the step that rejected it. */
  readonly step: string
  /** Time of the rejection, milliseconds since 1970. */
  readonly at: number
}

export interface DeadLetter extends Rejection {
  readonly original: NewRecord
  /** Where the original was in its topic. */
  readonly partition: number
  readonly offset: number
  /** How often it has been replayed. */
  readonly replays: number
}

const PREFIX = 'dead_'
const REPLAYS = 'dead_replays'
const MAX_DETAIL = 1000

/** The record for the topic of dead letters. */
export function toDeadLetter (
  { topic, partition, offset, key, value, headers }: LogRecord,
  { reason, detail, step, at }: Rejection
): NewRecord {
  return {
    topic: deadTopic(topic),
    key,
    value,
    headers: {
      ...headers,
      dead_reason: reason,
      dead_detail: detail.slice(0, MAX_DETAIL),
      dead_step: step,
      dead_topic: topic,
      dead_partition: String(partition),
      dead_offset: String(offset),
      dead_at: new Date(at).toISOString(),
    },
  }
}

/** Undefined if the record is no dead letter. */
export function fromDeadLetter (
  { key, value, headers }: Pick<LogRecord, 'key' | 'value' | 'headers'>
): DeadLetter | undefined {
  const { dead_reason: reason, dead_detail: detail, dead_step: step, dead_topic: topic } = headers
  if (reason === undefined || detail === undefined || step === undefined || topic === undefined) return undefined
  return {
    reason,
    detail,
    step,
    at: Date.parse(headers['dead_at'] ?? ''),
    original: { topic, key, value, headers: withoutRejection(headers) },
    partition: Number(headers['dead_partition']),
    offset: Number(headers['dead_offset']),
    replays: Number(headers[REPLAYS] ?? 0),
  }
}

/** The original again, with a header that counts replays. */
export function replayOf ({ original, replays }: DeadLetter): NewRecord {
  return { ...original, headers: { ...original.headers, [REPLAYS]: String(replays + 1) } }
}

function withoutRejection (headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(PREFIX)))
}
