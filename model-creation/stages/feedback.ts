// What people said of intervals, applied to a series: faults leave its training part, false alarms of its test part
// enter the training as series of their own. Knows no files.
import { type TimeInterval } from '../../core/metrics/delays.ts'
import { type Series, slice, timeOf } from '../../core/series/series.ts'
import { type Statement } from '../adapters/feedback-file.ts'

export const [UNSAID, FAULT, NORMAL] = [0, 1, 2]

/** What is said of each observation; of several statements the last one counts. Shape [length]. */
export function whatIsSaid (
  { name, series }: { readonly name: string, readonly series: Series },
  statements: readonly Statement[]
): Uint8Array {
  const said = new Uint8Array(series.length).fill(UNSAID!)
  for (const { series: of, label, ...interval } of statements) {
    if (of === undefined || of === name) {
      said.fill(label === 'false-alarm' ? NORMAL! : FAULT!, ...rangeOf(series, interval))
    }
  }
  return said
}

/** Observations [from, to) whose times lie in the interval. */
export function rangeOf (series: Series, { start, end }: TimeInterval): [number, number] {
  const within = (t: number): number => Math.min(series.length, Math.max(0, t))
  return [
    within(Math.ceil((start - series.start) / series.interval)),
    within(Math.floor((end - series.start) / series.interval) + 1),
  ]
}

/** Maximal stretches [from, to) of observations that are `value`. */
export function stretches (values: Uint8Array, value: number): Array<[number, number]> {
  const found: Array<[number, number]> = []
  values.forEach((one, t) => {
    if (one !== value) return
    const last = found.at(-1)
    if (last?.[1] === t) last[1] = t + 1
    else found.push([t, t + 1])
  })
  return found
}

/** Observations that feedback moved. */
export interface Moved {
  /** Faults that left the training part. */
  readonly left: number
  /** False alarms of the test part that entered the training. */
  readonly entered: number
  /** What entered around them. */
  readonly around: number
  /** Said to be false alarms, but labelled as faults: they stay where they are. */
  readonly contradicted: number
}

export interface Applied {
  /** The series without the faults of its training part. */
  readonly series: Series
  /** What of the test part is learnt: not to be judged any more. */
  readonly learnt: readonly Series[]
  readonly moved: Moved
}

/**
 * @param said of whatIsSaid()
 * @param split where the test part begins
 * @param labels known faults of the series: nothing of them is learnt from the test part
 * @param context observations that are taken along on either side of a false alarm, for windows and smoothing to have a
 * beginning
 */
export function applyFeedback (
  series: Series,
  said: Uint8Array,
  { split, labels, context }: {
    readonly split: number,
    readonly labels: readonly TimeInterval[],
    readonly context: number,
  }
): Applied {
  const faulty = said.map((one) => one === FAULT ? 1 : 0)
  for (const label of labels) faulty.fill(1, ...rangeOf(series, label))
  const taken = new Uint8Array(series.length)
  let [entered, contradicted] = [0, 0]
  for (let t = split; t < series.length; t++) {
    if (said[t] !== NORMAL) continue
    if (faulty[t] === 1) contradicted++
    else {
      entered++
      taken[t] = 1
    }
  }
  const alarms = stretches(taken, 1)
  for (const [from, to] of alarms) {
    for (let t = from - 1; t >= Math.max(split, from - context) && faulty[t] === 0; t--) taken[t] = 1
    for (let t = to; t < Math.min(series.length, to + context) && faulty[t] === 0; t++) taken[t] = 1
  }
  const learnt = stretches(taken, 1).map(([from, to]) => slice(series, from, to))
  const around = learnt.reduce((sum, { length }) => sum + length, 0) - entered
  const { without, left } = withoutFaults(series, said, split)
  return { series: without, learnt, moved: { left, entered, around, contradicted } }
}

function withoutFaults (series: Series, said: Uint8Array, split: number): { without: Series, left: number } {
  const faults = stretches(said.subarray(0, split), FAULT!)
  if (faults.length === 0) return { without: series, left: 0 }
  const width = series.channels.length
  const values = series.values.slice()
  for (const [from, to] of faults) values.fill(NaN, from * width, to * width)
  return { without: { ...series, values }, left: faults.reduce((sum, [from, to]) => sum + to - from, 0) }
}

/** First and last instant. */
export const spanOf = (series: Series): TimeInterval => ({
  start: series.start,
  end: timeOf(series, series.length - 1),
})

/** The stretches that none of the learnt intervals covers, in order of time: what is left to judge. */
export function unlearnt (series: Series, learnt: readonly TimeInterval[]): Array<[number, number]> {
  const covered = new Uint8Array(series.length)
  for (const interval of learnt) covered.fill(1, ...rangeOf(series, interval))
  return stretches(covered, 0)
}
