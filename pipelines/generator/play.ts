// Plays stretches in real time or faster: sends due observations, in order within a series, each exactly once.
import type { RawObservation } from '../messages/messages.ts'
import type { Part, Stretch } from './fleet.ts'

interface Pace {
  /** Time of the first observation, milliseconds since 1970. */
  readonly start: number
  /** Milliseconds after `start` that are sent as fast as the receiver takes them. */
  readonly history: number
  /** Seconds of observations in a second. */
  readonly speed: number
}

export interface PlayOptions extends Pace {
  readonly stretches: AsyncIterable<Stretch>
  /** Resolves once the observations are taken. A rejection ends the play. */
  readonly send: (observations: readonly RawObservation[]) => Promise<void>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Waits so many milliseconds, or until the signal aborts. */
  readonly wait: (milliseconds: number) => Promise<unknown>
  readonly signal: AbortSignal
  /** Called after each batch, with its size and the time of its newest observation. */
  readonly onSent?: (count: number, newest: number) => void
}

/** Most observations of a batch. */
const BATCH = 500
const LONGEST_WAIT = 1000

/**
 * When an observation is due, milliseconds since 1970: by its time at the chosen speed, but never before that time.
 * @param liveSince the beginning of live play
 * @example
 * dueAt(start + 600_000, { start, history: 0, speed: 600 }, liveSince) // liveSince + 1000, if start is long ago
 */
export function dueAt (time: number, { start, history, speed }: Pace, liveSince: number): number {
  const live = time - start - history
  return Math.max(time, live < 0 ? -Infinity : liveSince + live / speed)
}

/** Plays until the stretches end or the signal aborts. Waits for a batch in progress. */
export async function play (options: PlayOptions): Promise<void> {
  const { stretches, signal, now } = options
  let liveSince: number | undefined
  const due = (time: number): number => {
    if (time >= options.start + options.history) liveSince ??= now()
    return dueAt(time, options, liveSince ?? 0)
  }
  for await (const stretch of ahead(stretches, signal)) {
    const queue = new Queue(stretch)
    while (!signal.aborted && queue.next !== undefined) await sendDue(queue, due, options)
    if (signal.aborted) return
  }
}

async function sendDue (
  queue: Queue,
  due: (time: number) => number,
  { send, now, wait, onSent }: PlayOptions
): Promise<void> {
  const time = now()
  const batch: RawObservation[] = []
  let newest = 0
  while (queue.next !== undefined && batch.length < BATCH && due(queue.next) <= time) {
    newest = queue.next
    queue.takeUntil(newest, batch)
  }
  if (batch.length === 0) {
    await wait(Math.min(LONGEST_WAIT, Math.max(1, due(queue.next!) - time)))
    return
  }
  await send(batch)
  onSent?.(batch.length, newest)
}

/** Makes the next stretch while one is played. */
async function * ahead (stretches: AsyncIterable<Stretch>, signal: AbortSignal): AsyncGenerator<Stretch> {
  const iterator = stretches[Symbol.asyncIterator]()
  let next = iterator.next()
  try {
    while (!signal.aborted) {
      const { done, value } = await next
      if (done === true) return
      next = iterator.next()
      // Awaited in its turn. Until then, a rejection has no handler.
      next.catch(() => {})
      yield value
    }
  } finally {
    await iterator.return?.()
  }
}

/** Rows of several series, merged by their times of arrival. */
class Queue {
  readonly #parts: ReadonlyArray<Cursor>
  #next: number | undefined

  constructor (stretch: Stretch) {
    this.#parts = stretch.map((part) => new Cursor(part))
    this.#find()
  }

  /** Arrival of the next row; undefined at the end. */
  get next (): number | undefined {
    return this.#next
  }

  takeUntil (time: number, batch: RawObservation[]): void {
    for (const part of this.#parts) while (part.arrival <= time) batch.push(part.take())
    this.#find()
  }

  #find (): void {
    let first = Infinity
    for (const { arrival } of this.#parts) if (arrival < first) first = arrival
    this.#next = first === Infinity ? undefined : first
  }
}

class Cursor {
  /** Arrival of the next row: its own time, or that of the row before it if that is later. */
  arrival = -Infinity
  readonly #part: Part
  #at = 0

  constructor (part: Part) {
    this.#part = part
    this.#look()
  }

  take (): RawObservation {
    const { series, channels, rows } = this.#part
    const { time, values } = rows[this.#at++]!
    const named: Record<string, number | null> = {}
    for (let c = 0; c < channels.length; c++) named[channels[c]!] = Number.isNaN(values[c]!) ? null : values[c]!
    this.#look()
    return { series, time: new Date(time).toISOString(), values: named }
  }

  #look (): void {
    const row = this.#part.rows[this.#at]
    this.arrival = row === undefined ? Infinity : Math.max(this.arrival, row.time)
  }
}
