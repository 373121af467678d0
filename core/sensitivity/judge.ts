// What the room asks of a detector, and what became of an injected anomaly. The only file here that calls a detector.
import { detectCausal } from '../detector/detector.ts'
import type { DetectorModel } from '../detector/model.ts'
import type { Detection, Scoring } from '../scoring/detection.ts'
import { detectBatch } from '../detector/hindsight.ts'
import type { Autoencoder } from '../scoring/reconstruction-error.ts'
import type { Series } from '../series/series.ts'
import { findAnomalies } from '../verdicts/anomalies.ts'
import type { Place } from './inject.ts'

/** A detector that gives verdicts on series of its channels, whatever it is made of. */
export interface Judge {
  readonly channels: readonly string[]
  /** Sampling interval in milliseconds. */
  readonly interval: number
  /** Observations in its longest window: before them, nothing is scored. */
  readonly windowLength: number
  detect (scoring: Scoring, series: Series): Detection
}

/** Both scorings, in the order in which they are listed. */
export const SCORINGS: readonly Scoring[] = ['batch', 'causal']

/**
 * A fitted detector as a judge.
 * @param autoencoders one for each member of the model
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => Math.sin(t / 3))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { wave } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * judgeOf(model, autoencoders).detect('causal', series).score.length // 60
 */
export function judgeOf (model: DetectorModel, autoencoders: readonly Autoencoder[]): Judge {
  const detect = { batch: detectBatch, causal: detectCausal }
  return {
    channels: model.channels,
    interval: model.interval,
    windowLength: model.windowLength,
    detect: (scoring, series) => detect[scoring](model, autoencoders, series),
  }
}

/** What became of an injected anomaly. */
interface Outcome {
  /** Whether an anomaly overlaps it, or begins or ends within the tolerance. */
  readonly found: boolean
  /** Whether the first channel of the highest such anomaly is the right one. */
  readonly named: boolean
}

/** An anomaly may lie so many observations beside what was injected; a quarter of its length if that is more. */
const TOLERANCE = 5

/**
 * The place with the tolerance on both sides, both ends inclusive.
 * @example
 * reachOf({ from: 10, length: 40 }) // { from: 0, to: 59 }
 */
export function reachOf ({ from, length }: Pick<Place, 'from' | 'length'>): { from: number, to: number } {
  const tolerance = Math.max(TOLERANCE, Math.floor(length / 4))
  return { from: from - tolerance, to: from + length - 1 + tolerance }
}

/**
 * Whether the detection finds an anomaly at the place, and names one of the channels first.
 * @param right indices of the channels that count as right
 * @example
 * const detection = { score: Float64Array.of(0, 2, 0), contributions: Float64Array.of(1, 0, 0.2, 0.8, 1, 0) }
 * outcomeAt(detection, { from: 1, length: 1 }, [0]) // { found: true, named: false }
 */
export function outcomeAt (
  detection: Pick<Detection, 'score' | 'contributions'>,
  place: Pick<Place, 'from' | 'length'>,
  right: readonly number[]
): Outcome {
  const reach = reachOf(place)
  const near = findAnomalies(detection).filter(({ from, to }) => from <= reach.to && to >= reach.from)
  const highest = near.toSorted((a, b) => b.peakScore - a.peakScore)[0]
  return { found: highest !== undefined, named: highest !== undefined && right.includes(highest.channels[0]!.channel) }
}
