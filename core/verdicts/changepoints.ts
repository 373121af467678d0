// Changepoints: instants after which the process stays different, whereas an anomaly passes. With hindsight, per
// channel.
//
// Binary segmentation (Scott and Knott 1974; Fryzlewicz 2014) with the Gaussian likelihood of a change in mean and
// variance. Values are clipped so that spikes do not count. Autocorrelated values hold less evidence than independent
// ones, so the likelihood is divided by the autocorrelation time. At the end, changes that are undone later are
// removed.
import { Problem } from '../errors.ts'
import { autocorrelationTime, robustMoments } from '../robust.ts'
import type { Scaler } from '../series/scaler.ts'
import { channelValues, type Series } from '../series/series.ts'

export interface ChangepointSettings {
  /** Fewest observations before, between and after changes. Default 20; more if values are autocorrelated. */
  readonly minLength?: number
  /** A change counts when twice the log-likelihood it gains exceeds this × ln(observations × channels). Default 5. */
  readonly penalty?: number
  /** Smallest change: of the mean in standard deviations, of the deviation as a share of it. Default 0.5. */
  readonly minEffect?: number
}

/** The change of the mean, or else of the spread around it. */
type ChangeDirection = 'up' | 'down' | 'wider' | 'narrower'

export interface Changepoint {
  /** First observation of the new state. */
  readonly index: number
  /** 1 − penalty / (2 × gain): ½ for a change that just counts, towards 1 for clear changes. */
  readonly confidence: number
  /** Direction in the channel with the clearest change. */
  readonly direction: ChangeDirection
  /** Indices of the channels that changed there, clearest first. */
  readonly channels: readonly number[]
}

const CHANGEPOINT_DEFAULTS: Required<ChangepointSettings> = { minLength: 20, penalty: 5, minEffect: 0.5 }

/** Deviations from the median beyond which a value counts as that far. */
const CLIP = 8
/** Fewest autocorrelation times before, between and after changes. */
const TIMES_APART = 5
/** Variance below which a stretch counts as constant, as a share of the channel's. */
const SMALLEST_VARIANCE = 1e-4

/** Observed values of a channel in units of its robust deviation, and the settings of all tests on it. */
interface Channel {
  /** Running sums of values and squares: entry i is over the first i. */
  readonly sums: Float64Array
  readonly squares: Float64Array
  readonly time: number
  readonly minLength: number
  readonly penalty: number
  readonly minEffect: number
  /** Smallest deviation that serves as the unit for a change of the mean. */
  readonly unit: number
}

interface Moments {
  readonly count: number
  readonly sum: number
  readonly squares: number
}

interface Segment extends Moments {
  readonly from: number
  readonly to: number
}

interface ChannelChange {
  readonly channel: number
  readonly index: number
  readonly confidence: number
  readonly direction: ChangeDirection
}

/**
 * Changepoints of a series, in order of time; NaN is skipped. O(n log n) per channel for few changes.
 * @param scaler of a detector: the mean must also change by `minEffect` training deviations, not only by `minEffect`
 * deviations of the values around it
 * @throws Problem invalid-settings
 * @example
 * const a = Array.from({ length: 200 }, (_, t) => t % 2 + (t < 100 ? 0 : 9))
 * findChangepoints(fromColumns({ start: 0, interval: 1000, columns: { a } }))
 * // [{ index: 100, confidence: 0.9…, direction: 'up', channels: [0] }]
 */
export function findChangepoints (series: Series, scaler?: Scaler, settings: ChangepointSettings = {}): Changepoint[] {
  const rules = { ...CHANGEPOINT_DEFAULTS, ...settings }
  check(rules)
  const changes = series.channels.flatMap((_, c) => channelChanges(series, c, rules, scaler))
  changes.sort((a, b) => a.index - b.index)
  return together(changes, rules.minLength)
}

function check ({ minLength, penalty, minEffect }: Required<ChangepointSettings>): void {
  if (!Number.isInteger(minLength) || minLength < 2) {
    throw new Problem(
      'invalid-settings',
      `minLength must be a whole number of observations, 2 or more, not ${minLength}.`
    )
  }
  for (const [name, value] of Object.entries({ penalty, minEffect })) {
    if (!(value >= 0 && value < Infinity)) {
      throw new Problem('invalid-settings', `${name} must be a number, 0 or more, not ${value}.`)
    }
  }
}

function channelChanges (
  series: Series,
  c: number,
  rules: Required<ChangepointSettings>,
  scaler: Scaler | undefined
): ChannelChange[] {
  const { at, observed } = observedOf(channelValues(series, c))
  const { centre, deviation } = robustMoments(observed)
  if (deviation === 0) return []
  const unit = scaler === undefined ? 0 : scaler.scale[c]! / deviation
  const standardised = observed.map((value) => Math.max(-CLIP, Math.min(CLIP, (value - centre) / deviation)))
  const channel = prepare(standardised, unit, Math.log(Math.max(2, at.length * series.channels.length)), rules)
  const segments = lasting(channel, split(channel, 0, at.length))
  return segments.slice(1).map((after, i) => {
    const before = segments[i]!
    return {
      channel: c,
      index: at[after.from]!,
      confidence: 1 - channel.penalty / (2 * gain(channel, before, after)),
      direction: directionOf(channel, before, after),
    }
  })
}

/** The finite values, and their indices. */
function observedOf (values: Float64Array): { at: Uint32Array, observed: Float64Array } {
  const at = new Uint32Array(values.length)
  let count = 0
  values.forEach((value, t) => { if (Number.isFinite(value)) at[count++] = t })
  return { at: at.subarray(0, count), observed: values.filter(Number.isFinite) }
}

function prepare (
  values: Float64Array,
  unit: number,
  information: number,
  { minLength, penalty, minEffect }: Required<ChangepointSettings>
): Channel {
  const sums = new Float64Array(values.length + 1)
  const squares = new Float64Array(values.length + 1)
  values.forEach((value, i) => {
    sums[i + 1] = sums[i]! + value
    squares[i + 1] = squares[i]! + value * value
  })
  const time = autocorrelationTime(values)
  return {
    sums,
    squares,
    time,
    minLength: Math.max(minLength, Math.ceil(TIMES_APART * (time - 1))),
    penalty: penalty * information,
    minEffect,
    unit,
  }
}

function segmentOf ({ sums, squares }: Channel, from: number, to: number): Segment {
  return { from, to, count: to - from, sum: sums[to]! - sums[from]!, squares: squares[to]! - squares[from]! }
}

const join = (a: Moments, b: Moments): Moments => ({
  count: a.count + b.count,
  sum: a.sum + b.sum,
  squares: a.squares + b.squares,
})

const variance = (count: number, sum: number, squares: number): number =>
  Math.max(SMALLEST_VARIANCE, squares / count - (sum / count) * (sum / count))

const cost = ({ count, sum, squares }: Moments): number => count * Math.log(variance(count, sum, squares))

/** Twice the log-likelihood that two means and variances gain over one, as if of independent values. */
function gain (channel: Channel, before: Moments, after: Moments): number {
  return (cost(join(before, after)) - cost(before) - cost(after)) / channel.time
}

function shift ({ unit }: Channel, before: Moments, after: Moments): number {
  const within =
    (before.count * variance(before.count, before.sum, before.squares) +
      after.count * variance(after.count, after.sum, after.squares)) / (before.count + after.count)
  return (after.sum / after.count - before.sum / before.count) / Math.max(unit, Math.sqrt(within))
}

/** Deviation after over deviation before. */
const widening = (before: Moments, after: Moments): number =>
  Math.sqrt(variance(after.count, after.sum, after.squares) / variance(before.count, before.sum, before.squares))

function differs (channel: Channel, before: Moments, after: Moments): boolean {
  const ratio = widening(before, after)
  const isLarge = Math.abs(shift(channel, before, after)) >= channel.minEffect ||
    Math.max(ratio, 1 / ratio) >= 1 + channel.minEffect
  return isLarge && gain(channel, before, after) > channel.penalty
}

function directionOf (channel: Channel, before: Moments, after: Moments): ChangeDirection {
  const by = shift(channel, before, after)
  if (Math.abs(by) >= channel.minEffect) return by > 0 ? 'up' : 'down'
  return widening(before, after) > 1 ? 'wider' : 'narrower'
}

/** Splits [from, to) into segments, in two each time, while a split gains more than the penalty. */
function split (channel: Channel, from: number, to: number): Segment[] {
  const at = bestSplit(channel, from, to)
  if (at < 0) return [segmentOf(channel, from, to)]
  const [before, after] = [segmentOf(channel, from, at), segmentOf(channel, at, to)]
  // A small effect may hide a large one inside, so only the likelihood decides here.
  if (gain(channel, before, after) <= channel.penalty) return [segmentOf(channel, from, to)]
  return [...split(channel, from, at), ...split(channel, at, to)]
}

/** The split of [from, to) with the least cost; −1 if the range is too short. */
function bestSplit ({ sums, squares, minLength }: Channel, from: number, to: number): number {
  let best = -1
  let least = Infinity
  for (let at = from + minLength; at <= to - minLength; at++) {
    const before = (at - from) * Math.log(variance(at - from, sums[at]! - sums[from]!, squares[at]! - squares[from]!))
    const after = (to - at) * Math.log(variance(to - at, sums[to]! - sums[at]!, squares[to]! - squares[at]!))
    if (before + after < least) {
      least = before + after
      best = at
    }
  }
  return best
}

/** Merges segments that are alike, and drops the segments between them: their change has passed. */
function lasting (channel: Channel, segments: readonly Segment[]): Segment[] {
  const kept: Segment[] = []
  for (const segment of segments) {
    // The newest kept segment that is like this one; changes since then have passed.
    const alike = kept.findLastIndex((earlier) => !differs(channel, earlier, segment))
    if (alike < 0) kept.push(segment)
    else kept.splice(alike, Infinity, { ...join(kept[alike]!, segment), from: kept[alike]!.from, to: segment.to })
  }
  return kept
}

/** One changepoint for the changes of several channels that begin within `reach` observations of the first. */
function together (changes: readonly ChannelChange[], reach: number): Changepoint[] {
  const groups: ChannelChange[][] = []
  for (const change of changes) {
    const group = groups.at(-1)
    if (group !== undefined && change.index - group[0]!.index < reach) group.push(change)
    else groups.push([change])
  }
  return groups.map((group) => {
    const ranked = group.toSorted((a, b) => b.confidence - a.confidence)
    const { index, direction, confidence } = ranked[0]!
    return { index, confidence, direction, channels: ranked.map(({ channel }) => channel) }
  })
}
