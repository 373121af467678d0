// What shares a record: neighbouring observations and verdicts of a series, with what they have in common said once. A
// record costs more than what one observation says, on every way and in every client; where there is one observation at
// a time, there is one in a record.
import { type Message, type MessageOf, MESSAGES, type MessageType } from './messages.ts'

/** At least one message, of one type and one series. */
export type Run = readonly [Message, ...Message[]]
type Growing = [...Run]

interface Shared<M extends Message> {
  /** Under which name the rows stand in the record. */
  readonly rows: string
  /** What is said once. */
  readonly once: (data: M['data']) => object
  readonly row: (data: M['data']) => object
  /** Whether two of one series have the same to be said once. */
  readonly belong: (a: M['data'], b: M['data']) => boolean
}

const OBSERVATIONS: Shared<MessageOf<'observation.regular.v1'>> = {
  rows: 'observations',
  once: ({ series, interval }) => ({ series, interval }),
  row: ({ time, values, imputed }) => ({ time, values, imputed }),
  belong: (a, b) => a.interval === b.interval,
}

const VERDICTS: Shared<MessageOf<'verdict.v1'>> = {
  rows: 'verdicts',
  once: ({ series, model, threshold }) => ({ series, model, threshold }),
  row: ({ time, score, anomalous, contributions, values, expected, imputed }) => ({
    time,
    score,
    anomalous,
    contributions,
    values,
    expected,
    imputed,
  }),
  belong: ({ model: a, threshold }, { model: b, threshold: other }) =>
    a.digest === b.digest && a.version === b.version && a.name === b.name && threshold === other,
}

const SHARED = { 'observation.regular.v1': OBSERVATIONS, 'verdict.v1': VERDICTS }
const sharedOf = (type: MessageType): Shared<Message> | undefined =>
  (SHARED as Partial<Record<MessageType, unknown>>)[type] as Shared<Message> | undefined

/** Of the values in a record: some hundred kilobytes, where brokers take a megabyte. */
const MOST_NUMBERS = 5000
const MOST_ROWS = 500

/** Records of one series and topic stay in the order of their messages; topics have nothing to do with each other. */
export function runsOf (messages: readonly Message[]): Run[] {
  const runs: Growing[] = []
  /** By topic and series, the run that its next message may join. */
  const open = new Map<string, { readonly run: Growing, readonly room: number }>()
  for (const message of messages) {
    const key = `${MESSAGES[message.type].topic}/${message.data.series}`
    const last = open.get(key)
    if (last !== undefined && last.run.length < last.room && belong(last.run[0], message)) {
      last.run.push(message)
      continue
    }
    const run: Growing = [message]
    runs.push(run)
    open.set(key, { run, room: roomOf(message) })
  }
  return runs
}

const belong = (a: Message, b: Message): boolean =>
  a.type === b.type && a.trace === b.trace && sharedOf(a.type)?.belong(a.data, b.data) === true

/** Messages that a record takes which begins with this one. */
function roomOf ({ type, data }: Message): number {
  if (sharedOf(type) === undefined) return 1
  const width = Object.keys((data as MessageOf<'observation.regular.v1' | 'verdict.v1'>['data']).values).length
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_NUMBERS / width)))
}

/** The value of the record. */
export function textOf (run: Run): string {
  const [{ type, data }] = run
  const shared = sharedOf(type)
  if (shared === undefined) return JSON.stringify(data)
  return JSON.stringify({ ...shared.once(data), [shared.rows]: run.map((message) => shared.row(message.data)) })
}

/** The data of each message of a record. */
export function rowsOf (type: MessageType, content: object): Array<Message['data']> {
  const shared = sharedOf(type)
  if (shared === undefined) return [content as Message['data']]
  const { [shared.rows]: rows, ...once } = content as Record<string, object[]>
  return rows!.map((row) => ({ ...once, ...row }) as unknown as Message['data'])
}
