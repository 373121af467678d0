// Lists the dead letters of a log, and replays them.
import { Problem } from '../../core/errors.ts'
import type { Log, Partition } from '../messages/log.ts'
import { deadTopic, TOPICS } from '../messages/messages.ts'
import { type DeadLetter, fromDeadLetter, replayOf } from './dead-letter.ts'

export interface Chosen {
  /** Default: all topics. */
  readonly topic?: string
  readonly reason?: string
  /** Offset of the dead letter itself. */
  readonly offset?: number
}

interface Kept {
  readonly letter: DeadLetter
  /** Where the dead letter is in its topic. */
  readonly place: Partition & { readonly offset: number }
}

/** Number of records per read. */
const PAGE = 500

/** The dead letters that exist at the time of the call. @throws Problem invalid-settings, log-unavailable */
async function * deadLetters (log: Log, chosen: Chosen): AsyncGenerator<Kept> {
  for (const topic of topicsOf(chosen)) {
    for (let partition = 0; partition < log.partitions; partition++) {
      yield * inPartition(log, { topic, partition }, chosen)
    }
  }
}

async function * inPartition (log: Log, partition: Partition, { reason, offset: only }: Chosen): AsyncGenerator<Kept> {
  const { first, next } = await log.bounds(partition)
  for (let offset = first; offset < next;) {
    const records = await log.read(partition, offset, PAGE)
    if (records.length === 0) return
    for (const record of records) {
      const letter = record.offset < next ? fromDeadLetter(record) : undefined
      if (
        letter === undefined || (reason ?? letter.reason) !== letter.reason || (only ?? record.offset) !== record.offset
      ) continue
      yield { letter, place: { ...partition, offset: record.offset } }
    }
    offset = records.at(-1)!.offset + 1
  }
}

function topicsOf ({ topic }: Chosen): string[] {
  const known: readonly string[] = Object.values(TOPICS)
  if (topic === undefined) return known.map(deadTopic)
  const name = topic.replace(/\.dead$/, '')
  if (!known.includes(name)) {
    throw new Problem('invalid-settings', `--topic is "${topic}"; name one of ${known.join(', ')}.`)
  }
  return [deadTopic(name)]
}

/** Prints the newest dead letters, the newest last. @throws Problem invalid-settings, log-unavailable */
export async function listDead (
  log: Log,
  { limit = 100, json = false, ...chosen }: Chosen & { readonly limit?: number, readonly json?: boolean },
  print: (line: string) => void
): Promise<void> {
  let kept: Kept[] = []
  let count = 0
  for await (const one of deadLetters(log, chosen)) {
    count++
    kept.push(one)
    if (kept.length >= 2 * limit + PAGE) kept = newest(kept, limit)
  }
  kept = newest(kept, limit)
  for (const one of kept) {
    print(json ? JSON.stringify({ ...one.letter, at: timeOf(one.letter), place: one.place }) : lineOf(one))
  }
  if (!json) print(count === 0 ? 'There are no dead letters.' : `${kept.length} of ${count} dead letters.`)
}

const newest = (kept: Kept[], limit: number): Kept[] =>
  kept.sort((a, b) => a.letter.at - b.letter.at).slice(Math.max(0, kept.length - limit))

const timeOf = ({ at }: DeadLetter): string => Number.isNaN(at) ? 'some time' : new Date(at).toISOString()

function lineOf ({ letter, place }: Kept): string {
  const again = letter.replays === 0 ? '' : `, replayed ${letter.replays} times`
  const where = `${place.topic}/${place.partition}@${place.offset}`
  return `${timeOf(letter)}  ${where}  ${letter.reason} (${letter.step}${again}): ${letter.detail}`
}

/** @returns the number of replayed records. @throws Problem invalid-settings, log-unavailable */
export async function replayDead (log: Log, chosen: Chosen, print: (line: string) => void): Promise<number> {
  let [count, batch]: [number, Kept[]] = [0, []]
  const send = async (): Promise<void> => {
    await log.append(batch.map(({ letter }) => replayOf(letter)))
    count += batch.length
    batch = []
  }
  for await (const one of deadLetters(log, chosen)) if (batch.push(one) >= PAGE) await send()
  await send()
  print(`${count} dead letters were sent back to their topics; they stay listed.`)
  return count
}
