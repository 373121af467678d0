// The options that change verdicts, never scores → the rules of core/verdicts.ts for a model.
import { adaptiveThresholds } from '../../core/adaptive.ts'
import { type Detection, type DetectorModel } from '../../core/detection.ts'
import { pointer, Problem } from '../../core/errors.ts'
import { type Series } from '../../core/series.ts'
import { thresholdForBudget, thresholdForSensitivity } from '../../core/tail.ts'
import { type Direction, judge, type VerdictRules } from '../../core/verdicts.ts'
import { type ComputeOptions } from './options.ts'

export interface Verdicts {
  /** Score above which an observation is anomalous. */
  readonly threshold: number
  /** With `adaptive`: that of each observation. */
  readonly thresholds: Float64Array | undefined
  /** Of core/verdicts.ts, shape [length]. */
  readonly verdicts: Int8Array
}

/** @throws Problem unknown-channel, or invalid-request where the model does not know what normal scores look like */
export function verdictsOf (detector: DetectorModel, series: Series, detection: Detection, options: ComputeOptions): Verdicts {
  const threshold = thresholdOf(detector, options)
  const thresholds = options.adaptive ? adaptiveThresholds(detection.score, { hindsight: options.scoring === 'batch' }).map((factor) => factor * threshold) : undefined
  const rules: VerdictRules = { threshold: thresholds ?? threshold, ...directionRule(detector, options), ...deviationRule(detector, options) }
  return { threshold, thresholds, verdicts: judge(series, detection, rules) }
}

function thresholdOf (detector: DetectorModel, { threshold = 1, scoring, base }: ComputeOptions): number {
  if (typeof threshold === 'number') return threshold
  const tail = detector[scoring].scores
  if (tail === undefined) {
    throw new Problem('invalid-request', 'The model does not keep what normal scores look like; train it again, or give the threshold as a number.',
      { items: [{ pointer: pointer(...base, 'threshold'), detail: 'not known for this model' }] })
  }
  return 'sensitivity' in threshold ? thresholdForSensitivity(tail, threshold.sensitivity) : thresholdForBudget(tail, threshold.falseAlarmsPerDay, detector.interval)
}

function directionRule ({ channels }: DetectorModel, { direction, base }: ComputeOptions): VerdictRules {
  if (direction === undefined) return {}
  if (typeof direction === 'string') return { direction: channels.map(() => direction) }
  return { direction: perChannel<Direction>(channels, direction, 'both', [...base, 'direction']) }
}

function deviationRule ({ channels }: DetectorModel, { minDeviation, base }: ComputeOptions): VerdictRules {
  return minDeviation === undefined ? {} : { minDeviation: perChannel(channels, minDeviation, 0, [...base, 'minDeviation']) }
}

function perChannel<T> (channels: readonly string[], given: Readonly<Record<string, T>>, otherwise: T, at: readonly string[]): T[] {
  const unknown = Object.keys(given).filter((name) => !channels.includes(name))
  if (unknown.length === 0) return channels.map((name) => Object.hasOwn(given, name) ? given[name]! : otherwise)
  throw new Problem('unknown-channel', `${pointer(...at)} names "${unknown[0]!.slice(0, 60)}", which is no channel of the model; its channels are ${channels.join(', ')}.`,
    { items: unknown.slice(0, 10).map((name) => ({ pointer: pointer(...at, name), detail: 'not a channel of the model' })), extensions: { expected: channels } })
}
