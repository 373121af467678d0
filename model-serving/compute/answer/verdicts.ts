// Options that change verdicts but never scores → the rules of core/verdicts/verdicts.ts for a model.
import type { DetectorModel } from '../../../core/detector/model.ts'
import { SPANS } from '../../../core/evidence/model.ts'
import type { Detection, Scoring } from '../../../core/scoring/detection.ts'
import { pointer, Problem } from '../../../core/errors.ts'
import type { Series } from '../../../core/series/series.ts'
import { thresholdForBudget, thresholdForSensitivity } from '../../../core/scoring/tail.ts'
import { type Direction, judge, type VerdictRules } from '../../../core/verdicts/verdicts.ts'
import type { ComputeOptions } from '../read/options.ts'

export interface Verdicts {
  /** An observation is anomalous if its score is greater. */
  readonly threshold: number
  /** Codes of core/verdicts/verdicts.ts, shape [length]. */
  readonly verdicts: Int8Array
}

/** @throws Problem unknown-channel */
export function verdictsOf (
  detector: DetectorModel,
  series: Series,
  detection: Detection,
  options: ComputeOptions
): Verdicts {
  const threshold = thresholdOf(detector, options)
  const rules: VerdictRules = {
    threshold,
    reach: reachOf(detector, options.scoring),
    ...directionRule(detector, options),
    ...deviationRule(detector, options),
  }
  return { threshold, verdicts: judge(series, detection, rules) }
}

/** How many observations before and after it contribute to a pattern score and to sustained evidence. */
function reachOf (detector: DetectorModel, scoring: Scoring): NonNullable<VerdictRules['reach']> {
  const { smoothing } = detector[scoring]
  const windows = detector.windowLength - 1
  const longest = SPANS[SPANS.length - 1]!
  const behind = (count: number): { behind: number, ahead: number } => ({ behind: count, ahead: 0 })
  const around = (count: number): { behind: number, ahead: number } => ({ behind: count, ahead: count })
  return scoring === 'causal'
    ? { pattern: behind(smoothing - 1 + windows), sustained: behind(longest - 1) }
    : { pattern: around((smoothing >> 1) + windows), sustained: around(longest >> 1) }
}

function thresholdOf (detector: DetectorModel, { threshold = 1, scoring }: ComputeOptions): number {
  if (typeof threshold === 'number') return threshold
  const tail = detector[scoring].scores
  return 'sensitivity' in threshold
    ? thresholdForSensitivity(tail, threshold.sensitivity)
    : thresholdForBudget(tail, threshold.falseAlarmsPerDay, detector.interval)
}

function directionRule ({ channels }: DetectorModel, { direction, base }: ComputeOptions): VerdictRules {
  if (direction === undefined) return {}
  if (typeof direction === 'string') return { direction: channels.map(() => direction) }
  return { direction: perChannel<Direction>(channels, direction, 'both', [...base, 'direction']) }
}

function deviationRule ({ channels }: DetectorModel, { minDeviation, base }: ComputeOptions): VerdictRules {
  return minDeviation === undefined
    ? {}
    : { minDeviation: perChannel(channels, minDeviation, 0, [...base, 'minDeviation']) }
}

function perChannel<T> (
  channels: readonly string[],
  given: Readonly<Record<string, T>>,
  otherwise: T,
  at: readonly string[]
): T[] {
  const unknown = Object.keys(given).filter((name) => !channels.includes(name))
  if (unknown.length === 0) return channels.map((name) => Object.hasOwn(given, name) ? given[name]! : otherwise)
  throw new Problem(
    'unknown-channel',
    `${pointer(...at)} names "${unknown[0]!.slice(0, 60)}", which is not a channel of the model; its channels are ` +
      `${channels.join(', ')}.`,
    {
      items: unknown.slice(0, 10).map((name) => ({
        pointer: pointer(...at, name),
        detail: 'not a channel of the model',
      })),
      extensions: { expected: channels },
    }
  )
}
