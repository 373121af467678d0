// Runs: neighbouring observations or verdicts of a series share a record, which holds their common members once. The
// overhead of a record exceeds the size of one observation, on the network and in every client. Observations that come
// one at a time get a record each.
import { type Message, type MessageOf, MESSAGES, type MessageType } from './messages.ts'

/** At least one message, of one type and one series. */
export type Run = readonly [Message, ...Message[]]
type Growing = [...Run]

interface Shared<M extends Message> {
  /** Name of the member that holds the rows. */
  readonly rows: string
  /** The members that the record holds once. */
  readonly once: (data: M['data']) => object
  readonly row: (data: M['data']) => object
  /** Whether two messages of one series agree in those members. */
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
  row: ({ time, score, anomalous, contributions, values, expected, imputed, kind }) => ({
    time,
    score,
    anomalous,
    contributions,
    values,
    expected,
    imputed,
    ...(kind !== undefined && { kind }),
  }),
  belong: ({ model: a, threshold }, { model: b, threshold: other }) =>
    a.digest === b.digest && a.version === b.version && a.name === b.name && threshold === other,
}

const SHARED = { 'observation.regular.v1': OBSERVATIONS, 'verdict.v1': VERDICTS }
const sharedOf = (type: MessageType): Shared<Message> | undefined =>
  (SHARED as Partial<Record<MessageType, unknown>>)[type] as Shared<Message> | undefined

/** Values in a record: a few hundred kilobytes. Brokers take a megabyte. */
const MOST_NUMBERS = 5000
const MOST_ROWS = 500

/** Records of one series and topic keep the order of the messages. Topics are independent of each other. */
export function runsOf (messages: readonly Message[]): Run[] {
  const runs: Growing[] = []
  /** By topic and series: the run that the next message may join. */
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

/** How many messages fit into a record that begins with this one. */
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
