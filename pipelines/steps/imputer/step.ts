// The imputer: raw observations → observations on the model's grid, and gaps. README.md describes its rules.
import { z } from 'zod'
import type { DetectorModel } from '../../../core/detector/model.ts'
import { Problem } from '../../../core/errors.ts'
import { readIsoTime } from '../../../core/table/iso-time.ts'
import { arrivalOf, type MessageOf, STATE_TOPICS } from '../../messages/messages.ts'
import type { Following } from '../../../adapters/follow-model/live-model.ts'
import type { Outlet, Received, Step, StepKind } from '../../runtime/step.ts'
import { type Grid, ImputedSeries, newSeries, type Output, SavedSeriesSchema } from './imputed-series.ts'
import type { Strategy } from './strategies/strategy.ts'

export interface ImputerOptions {
  readonly live: Following<
    { readonly manifest: { readonly detector: Pick<DetectorModel, 'channels' | 'interval' | 'maxGap'> } }
  >
  readonly strategy: Strategy
  /** Milliseconds in the time of the series. Default: three sampling intervals. */
  readonly lateness: number | undefined
  /** Milliseconds on the clock. */
  readonly patience: number
  /** Milliseconds. */
  readonly maxAhead: number
}

const INTERVALS_OF_LATENESS = 3

const SavedSchema = z.object({
  channels: z.array(z.string()).min(1),
  interval: z.int().min(1),
  series: z.array(z.tuple([z.string(), SavedSeriesSchema])),
})

interface Waiting {
  readonly imputed: ImputedSeries
  /** Time since which nothing has come; undefined if an observation has come since the last tick. */
  idleSince: number | undefined
}

type RawMessage = Received<MessageOf<'observation.raw.v1'>>

export function imputerKind (options: ImputerOptions): StepKind {
  return {
    name: 'imputer',
    accepts: ['observation.raw.v1'],
    stateTopic: STATE_TOPICS.imputer,
    async open (saved, closing) {
      await options.live.ready(closing)
      return new Imputer(options, saved)
    },
  }
}

class Imputer implements Step {
  readonly #options: ImputerOptions
  readonly #series = new Map<string, Waiting>()
  #grid: Grid
  #index: ReadonlyMap<string, number>

  constructor (options: ImputerOptions, saved: unknown) {
    this.#options = options
    this.#grid = this.#newGrid()
    if (saved !== undefined) this.#restore(saved)
    this.#index = indexOf(this.#grid)
  }

  process (messages: readonly Received[], out: Outlet): void {
    this.#adopt(out)
    for (const message of messages) if (message.type === 'observation.raw.v1') this.#take(message, out)
  }

  tick (now: number, out: Outlet): void {
    this.#adopt(out)
    for (const [name, series] of this.#series) {
      if (!series.imputed.waits) continue
      series.idleSince ??= now
      if (now - series.idleSince >= this.#options.patience) this.#release(name, series, true, out)
    }
  }

  save (): z.output<typeof SavedSchema> {
    const { channels, interval } = this.#grid
    return {
      channels: [...channels],
      interval,
      series: [...this.#series].map(([name, { imputed }]) => [name, imputed.save()]),
    }
  }

  #restore (saved: unknown): void {
    try {
      const { channels, interval, series } = SavedSchema.parse(saved)
      this.#grid = { ...this.#grid, channels, interval }
      for (const [name, state] of series) {
        this.#series.set(name, {
          imputed: new ImputedSeries(channels.length, this.#options.strategy, state),
          idleSince: undefined,
        })
      }
    } catch (cause) {
      throw new Problem(
        'invalid-state',
        `The saved state of the imputer cannot be read: ${(cause as Error).message.slice(0, 500)}. ` +
          `Delete the topic ${STATE_TOPICS.imputer} to begin anew, or set the strategy that it was saved with.`,
        { cause }
      )
    }
  }

  #newGrid (): Grid {
    const { channels, interval, maxGap } = this.#options.live.current.manifest.detector
    return { channels, interval, maxGap, lateness: this.#options.lateness ?? INTERVALS_OF_LATENESS * interval }
  }

  /** Switches to the model's grid if it has changed. Waiting instants are sent on the old grid first. */
  #adopt (out: Outlet): void {
    const [before, grid] = [this.#grid, this.#newGrid()]
    const isSame = before.interval === grid.interval && before.channels.length === grid.channels.length &&
      before.channels.every((name, c) => name === grid.channels[c])
    if (isSame) {
      this.#grid = grid
      return
    }
    for (const [name, series] of this.#series) this.#release(name, series, true, out)
    this.#grid = grid
    this.#index = indexOf(grid)
    for (const [name, { imputed: { last } }] of this.#series) {
      const end = last === undefined ? null : Math.floor(last * before.interval / grid.interval)
      this.#series.set(name, {
        imputed: new ImputedSeries(grid.channels.length, this.#options.strategy, newSeries(grid.channels.length, end)),
        idleSince: undefined,
      })
    }
  }

  #take (message: RawMessage, out: Outlet): void {
    const { data } = message
    const time = readIsoTime(data.time) ?? Date.parse(data.time)
    const fault = this.#faultOf(message, time)
    if (fault !== undefined) return out.reject(message, ...fault)
    const series = this.#waiting(data.series)
    series.idleSince = undefined
    const instant = nearestInstant(time, this.#grid.interval)
    const outcome = series.imputed.take(instant, this.#valuesOf(data.values), arrivalOf(message))
    if (outcome === 'duplicate') out.drop(message, 'duplicate')
    if (outcome === 'late') out.reject(message, 'late', this.#lateness(instant, series.imputed))
    this.#release(data.series, series, false, out)
  }

  #faultOf (
    { data: { time: text, values }, receivedAt }: RawMessage,
    time: number
  ): [code: string, detail: string] | undefined {
    if (Number.isNaN(time)) return ['invalid-time', `Its time "${text}" is not a valid date.`]
    const { maxAhead } = this.#options
    if (time > receivedAt + maxAhead) {
      const ahead = Math.round((time - receivedAt) / 1000)
      return [
        'future-dated',
        `Its time ${text} is ${ahead} s after its arrival, and at most ${maxAhead / 1000} s are accepted ` +
        '(IMPUTER_MAX_AHEAD); set the sender\'s clock.',
      ]
    }
    if (Object.keys(values).some((name) => this.#index.has(name))) return undefined
    const sent = Object.keys(values).slice(0, 10).join(', ').slice(0, 200)
    const known = this.#grid.channels.join(', ')
    return ['no-known-channel', `None of its channels (${sent}) is one of the model's: ${known}.`]
  }

  #lateness (instant: number, { last }: ImputedSeries): string {
    const { interval, lateness } = this.#grid
    return `Its instant ${isoTime(instant, interval)} was sent without it, or is too long ago: ` +
      `the series is at ${isoTime(last!, interval)}. ` +
      `An instant waits until an observation comes that is more than ${lateness / 1000} s later (IMPUTER_LATENESS).`
  }

  #waiting (name: string): Waiting {
    let series = this.#series.get(name)
    if (series === undefined) {
      series = { imputed: new ImputedSeries(this.#grid.channels.length, this.#options.strategy), idleSince: undefined }
      this.#series.set(name, series)
    }
    return series
  }

  /** Shape [channels]; without channels that the model does not have. */
  #valuesOf (values: Readonly<Record<string, number | null>>): Float64Array {
    const row = new Float64Array(this.#grid.channels.length).fill(NaN)
    for (const name in values) {
      const c = this.#index.get(name)
      if (c !== undefined) row[c] = values[name] ?? NaN
    }
    return row
  }

  #release (series: string, { imputed }: Waiting, all: boolean, out: Outlet): void {
    imputed.release(this.#grid, all, (output) => { out.send(messageOf(series, output, this.#grid)) })
  }
}

const indexOf = ({ channels }: Grid): ReadonlyMap<string, number> => new Map(channels.map((name, c) => [name, c]))

const isoTime = (instant: number, interval: number): string => new Date(instant * interval).toISOString()

/** Number of the nearest multiple of the interval since 1970; halfway, the earlier one. */
function nearestInstant (time: number, interval: number): number {
  const before = Math.floor(time / interval)
  return 2 * (time - before * interval) > interval ? before + 1 : before
}

function messageOf (
  series: string,
  output: Output,
  { channels, interval }: Grid
): MessageOf<'observation.regular.v1'> | MessageOf<'gap.v1'> {
  const { arrival } = output
  if (output.kind === 'gap') {
    const [from, to] = [isoTime(output.from, interval), isoTime(output.to, interval)]
    return { type: 'gap.v1', id: `${series}/${from}/gap`, ...arrival, data: { series, from, to, interval } }
  }
  const time = isoTime(output.instant, interval)
  const values: Record<string, number | null> = {}
  for (let c = 0; c < channels.length; c++) {
    values[channels[c]!] = Number.isNaN(output.values[c]!)
      ? null
      : output.values[c]!
  }
  const imputed = output.imputed.map((c) => channels[c]!)
  return {
    type: 'observation.regular.v1',
    id: `${series}/${time}`,
    ...arrival,
    data: { series, time, interval, values, imputed },
  }
}
