// Applies feedback to a series: faults leave its training part, and false alarms of its test part become training
// series. Knows no files.
import { type TimeInterval } from '../../core/metrics/delays.ts'
import { type Series, slice, timeOf } from '../../core/series/series.ts'
import { type Statement } from '../adapters/feedback-file.ts'

const UNMARKED = 0
export const FAULT = 1
const NORMAL = 2

/** Marks each observation as people did: UNMARKED, FAULT or NORMAL. The last statement counts. Shape [length]. */
export function marksOf (
  { name, series }: { readonly name: string, readonly series: Series },
  statements: readonly Statement[]
): Uint8Array {
  const marks = new Uint8Array(series.length).fill(UNMARKED)
  for (const { series: target, label, ...interval } of statements) {
    if (target === undefined || target === name) {
      marks.fill(label === 'false-alarm' ? NORMAL : FAULT, ...rangeOf(series, interval))
    }
  }
  return marks
}

/** Observations [from, to) whose times lie in the interval. */
export function rangeOf (series: Series, { start, end }: TimeInterval): [number, number] {
  const within = (t: number): number => Math.min(series.length, Math.max(0, t))
  return [
    within(Math.ceil((start - series.start) / series.interval)),
    within(Math.floor((end - series.start) / series.interval) + 1),
  ]
}

/** Maximal stretches [from, to) of observations that equal `wanted`. */
export function stretches (values: Uint8Array, wanted: number): Array<[number, number]> {
  const found: Array<[number, number]> = []
  values.forEach((value, t) => {
    if (value !== wanted) return
    const last = found.at(-1)
    if (last?.[1] === t) last[1] = t + 1
    else found.push([t, t + 1])
  })
  return found
}

/** How many observations feedback moved. */
export interface Moved {
  /** Faults that left the training part. */
  readonly left: number
  /** False alarms of the test part that entered the training data. */
  readonly entered: number
  /** Their surroundings, which entered with them. */
  readonly around: number
  /** Reported as false alarms, but labelled as faults: they are not moved. */
  readonly contradicted: number
}

export interface Applied {
  /** The series without the faults of its training part. */
  readonly series: Series
  /** Pieces of the test part that are learnt, and therefore no longer judged. */
  readonly learnt: readonly Series[]
  readonly moved: Moved
}

/**
 * @param marks from marksOf()
 * @param split the first observation of the test part
 * @param labels known faults of the series: nothing of them is learnt from the test part
 * @param context observations to take along on each side of a false alarm, because windows and smoothing need a lead
 */
export function applyFeedback (
  series: Series,
  marks: Uint8Array,
  { split, labels, context }: {
    readonly split: number,
    readonly labels: readonly TimeInterval[],
    readonly context: number,
  }
): Applied {
  const faulty = marks.map((mark) => mark === FAULT ? 1 : 0)
  for (const label of labels) faulty.fill(1, ...rangeOf(series, label))
  const taken = new Uint8Array(series.length)
  let [entered, contradicted] = [0, 0]
  for (let t = split; t < series.length; t++) {
    if (marks[t] !== NORMAL) continue
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
  const { without, left } = withoutFaults(series, marks, split)
  return { series: without, learnt, moved: { left, entered, around, contradicted } }
}

function withoutFaults (series: Series, marks: Uint8Array, split: number): { without: Series, left: number } {
  const faults = stretches(marks.subarray(0, split), FAULT)
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

/** The stretches that no learnt interval covers, oldest first: they remain to be judged. */
export function unlearnt (series: Series, learnt: readonly TimeInterval[]): Array<[number, number]> {
  const covered = new Uint8Array(series.length)
  for (const interval of learnt) covered.fill(1, ...rangeOf(series, interval))
  return stretches(covered, 0)
}
