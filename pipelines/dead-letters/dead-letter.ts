// A record that a step could not use, and why: the original as it was, with headers that say what became of it.
import type { Headers, LogRecord, NewRecord } from '../messages/log.ts'
import { deadTopic } from '../messages/messages.ts'

export interface Death {
  /** A code in kebab-case. */
  readonly reason: string
  /** What is wrong with it, for people. */
  readonly detail: string
  /** Which step rejected it. */
  readonly step: string
  /** When, milliseconds since 1970. */
  readonly at: number
}

export interface DeadLetter extends Death {
  /** As it was, and where it came from. */
  readonly original: NewRecord
  readonly partition: number
  readonly offset: number
  /** How often it has been replayed before. */
  readonly replays: number
}

const PREFIX = 'dead_'
const REPLAYS = 'dead_replays'
const MAX_DETAIL = 1000

/** The record for the dead letters of its topic. */
export function toDeadLetter (
  { topic, partition, offset, key, value, headers }: LogRecord,
  { reason, detail, step, at }: Death
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

/** Undefined where the record is no dead letter. */
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
    original: { topic, key, value, headers: withoutDeath(headers) },
    partition: Number(headers['dead_partition']),
    offset: Number(headers['dead_offset']),
    replays: Number(headers[REPLAYS] ?? 0),
  }
}

/** The original once more; it carries along how often that was done. */
export function replayOf ({ original, replays }: DeadLetter): NewRecord {
  return { ...original, headers: { ...original.headers, [REPLAYS]: String(replays + 1) } }
}

function withoutDeath (headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(PREFIX)))
}
