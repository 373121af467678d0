// Messages ⇄ records: CloudEvents 1.0 in binary mode, by the Kafka binding. Every message passes here: this code is
// faster than the library.
import { Problem } from '../../core/errors.ts'
import { readIsoTime } from '../../core/table/iso-time.ts'
import { sampledTraceparent } from '../../adapters/telemetry/trace-context.ts'
import { explainFault } from '../../adapters/settings/schema-faults.ts'
import type { LogRecord, NewRecord } from './log.ts'
import { type Message, MESSAGES, type MessageType } from './messages.ts'
import { QUICK_CHECKS } from './quick-checks.ts'
import { rowsOf, type Run, runsOf, textOf } from './runs.ts'

/** The last formatted time: messages of a batch have it in common. */
let written = { time: NaN, text: '' }

function timeOf (time: number): string {
  if (time !== written.time) written = { time, text: new Date(time).toISOString() }
  return written.text
}

/**
 * The messages of each series keep their order. Neighbouring messages of one series share a record if their type
 * allows it.
 * @param source the sender, CloudEvents `source`, for example `/imputer`
 */
export const encodeAll = (messages: readonly Message[], source: string): NewRecord[] =>
  runsOf(messages).map((run) => recordOf(run, source))

/** Encodes one message as one record. */
export const encode = (message: Message, source: string): NewRecord => recordOf([message], source)

function recordOf (run: Run, source: string): NewRecord {
  const [{ type, id, trace, data: { series } }] = run
  const more = run.length - 1
  return {
    topic: MESSAGES[type].topic,
    key: series,
    value: textOf(run),
    headers: {
      ce_specversion: '1.0',
      ce_type: type,
      ce_source: source,
      ce_id: more === 0 ? id : `${id}+${more}`,
      ce_time: timeOf(run.reduce((earliest, { receivedAt }) => Math.min(earliest, receivedAt), Infinity)),
      ...(trace !== undefined && { ce_traceparent: trace }),
      'content-type': 'application/json',
    },
  }
}

/** @throws Problem invalid-request if the record is not a message of the stream; it says what is wrong */
export function decode ({ key, value, headers }: Pick<LogRecord, 'key' | 'value' | 'headers'>): Message[] {
  const type = typeOf(headers['ce_type'])
  const id = headers['ce_id']
  if (id === undefined || id === '') {
    throw poison('The header ce_id is missing; send an id that is equal for equal messages.')
  }
  const receivedAt = readIsoTime(headers['ce_time'] ?? '')
  if (receivedAt === undefined) {
    throw poison(`The header ce_time is ${quoted(headers['ce_time'])}; send the time of arrival in RFC 3339.`)
  }
  const content = contentOf(type, value)
  if (key !== content.series) {
    const series = quoted(content.series)
    throw poison(`The key of the record is ${quoted(key)}, but its series is ${series}; send the series as the key.`)
  }
  const trace = sampledTraceparent(headers['ce_traceparent'])
  const rows = rowsOf(type, content)
  return rows.map((data, i) =>
    ({
      type,
      data,
      id: rows.length === 1 ? id : `${id}/${i}`,
      receivedAt,
      ...(trace !== undefined && { trace }),
    }) as Message
  )
}

function typeOf (type: string | undefined): MessageType {
  if (type !== undefined && Object.hasOwn(MESSAGES, type)) return type as MessageType
  throw poison(`The header ce_type is ${quoted(type)}; send one of ${Object.keys(MESSAGES).join(', ')}.`)
}

function contentOf (type: MessageType, value: string): { readonly series: string } {
  const content = parsed(value)
  if (QUICK_CHECKS[type]?.(content) === true) return content as { series: string }
  const result = MESSAGES[type].record.safeParse(content, { error: explainFault })
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw poison(`It is no ${type}: ${path.length === 0 ? '' : `${path.join('.')}: `}${message}.`)
}

function parsed (value: string): unknown {
  try {
    return JSON.parse(value)
  } catch (cause) {
    throw poison(`The value of the record is no JSON: ${(cause as Error).message.split('\n', 1)[0]}.`)
  }
}

const poison = (message: string): Problem => new Problem('invalid-request', message)

const quoted = (text: string | undefined): string => text === undefined ? 'missing' : JSON.stringify(text.slice(0, 100))
