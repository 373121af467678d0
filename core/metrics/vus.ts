// Volume under the surface: ranking metrics that tolerate slightly early or late detections, averaged over tolerances.
// Knows no verdicts.
import { Problem } from '../errors.ts'
import { assertPaired, countOf, type Flags, rankable, type Run, runsOf } from './runs.ts'

const THRESHOLDS = 250

/** Volumes under the precision-recall and the receiver-operating-characteristic surface, each in [0, 1]. */
interface Volumes {
  readonly pr: number
  readonly roc: number
}

/** Everything that does not depend on the buffer length, computed once. */
interface Scene {
  readonly labels: Flags
  readonly runs: readonly Run[]
  readonly positives: number
  /** Number of the first threshold that flags each observation (0 = the highest). Shape [length]. */
  readonly levels: Uint8Array
  /** Observations first flagged at each threshold, in all and among the labelled ones. Shape [250]. */
  readonly flaggedAt: Float64Array
  readonly foundAt: Float64Array
}

/** Everything that depends on the buffer length, by the threshold at which it is first flagged. Shape [250]. */
interface Buffered {
  /** Buffer weights of observations outside the labelled runs. */
  readonly massAt: Float64Array
  /** Extended runs first touched. */
  readonly touchedAt: Float64Array
  /** Number of extended runs: those whose buffers meet are one. */
  readonly extended: number
}

/**
 * First threshold that flags each observation. Thresholds are the scores at 250 equally spaced ranks, highest first.
 */
function levelsOf (scores: ArrayLike<number>): Uint8Array {
  const ranked = rankable(scores)
  const ascending = ranked.slice().sort()
  const last = ranked.length - 1
  // Step first, then product, as in numpy's linspace: its rounding decides the rank if the step is not whole.
  const step = last / (THRESHOLDS - 1)
  const thresholds = Float64Array.from({ length: THRESHOLDS }, (_, k) => {
    const rank = k === THRESHOLDS - 1 ? last : Math.floor(k * step)
    return ascending[last - rank]!
  })
  return Uint8Array.from(ranked, (score) => {
    let low = 0
    let high = THRESHOLDS - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (thresholds[middle]! <= score) high = middle
      else low = middle + 1
    }
    return low
  })
}

function sceneOf (labels: Flags, scores: ArrayLike<number>): Scene {
  const levels = levelsOf(scores)
  const flaggedAt = new Float64Array(THRESHOLDS)
  const foundAt = new Float64Array(THRESHOLDS)
  levels.forEach((level, t) => {
    flaggedAt[level]!++
    if (labels[t]) foundAt[level]!++
  })
  return { labels, runs: runsOf(labels), positives: countOf(labels), levels, flaggedAt, foundAt }
}

/** Extends the labelled runs by half the buffer on both sides, within the series, and merges runs that meet. */
function extend (runs: readonly Run[], half: number, length: number): Run[] {
  const extended: { first: number, last: number }[] = []
  for (const run of runs) {
    const first = Math.max(run.first - half, 0)
    const last = Math.min(run.last + half, length - 1)
    const before = extended.at(-1)
    if (before !== undefined && before.last >= first) before.last = last
    else extended.push({ first, last })
  }
  return extended
}

/** Adds the weight sqrt(1 − distance / buffer) of every run to the observations on both sides of it. */
function spread (mass: Float64Array, runs: readonly Run[], buffer: number): void {
  const half = Math.floor(buffer / 2)
  const weights = Float64Array.from({ length: half + 1 }, (_, distance) => Math.sqrt(1 - distance / buffer))
  for (const { first, last } of runs) {
    const before = Math.min(half, first)
    const after = Math.min(half, mass.length - 1 - last)
    for (let d = 1; d <= before; d++) mass[first - d]! += weights[d]!
    for (let d = 1; d <= after; d++) mass[last + d]! += weights[d]!
  }
}

/** Sums the buffers of one length by threshold. `mass` is scratch space: all zero before and after. */
function bufferedOf (scene: Scene, buffer: number, mass: Float64Array): Buffered {
  const { labels, runs, levels } = scene
  const massAt = new Float64Array(THRESHOLDS)
  const touchedAt = new Float64Array(THRESHOLDS)
  const extended = extend(runs, Math.floor(buffer / 2), labels.length)
  spread(mass, runs, buffer)
  for (const { first, last } of extended) {
    let touched = THRESHOLDS - 1
    for (let t = first; t <= last; t++) {
      const level = levels[t]!
      if (level < touched) touched = level
      if (!labels[t]) massAt[level]! += Math.min(mass[t]!, 1)
      mass[t] = 0
    }
    touchedAt[touched]!++
  }
  return { massAt, touchedAt, extended: extended.length }
}

/** Areas under both curves for one buffer length. */
function areas (scene: Scene, { massAt, touchedAt, extended }: Buffered): Volumes {
  const { positives, flaggedAt, foundAt, labels } = scene
  let [flagged, found, mass, touched] = [0, 0, 0, 0]
  let [tprBefore, fprBefore] = [0, 0]
  let [pr, roc] = [0, 0]
  for (let k = 0; k < THRESHOLDS; k++) {
    flagged += flaggedAt[k]!
    found += foundAt[k]!
    mass += massAt[k]!
    touched += touchedAt[k]!
    const credit = found + mass
    const wanted = positives + mass / 2
    const tpr = Math.min(credit / wanted, 1) * touched / extended
    const normal = labels.length - wanted
    const fpr = normal > 0 ? (flagged - credit) / normal : 0
    pr += (tpr - tprBefore) * credit / flagged
    roc += (fpr - fprBefore) * (tpr + tprBefore) / 2
    tprBefore = tpr
    fprBefore = fpr
  }
  return { pr, roc: roc + (1 - fprBefore) * (1 + tprBefore) / 2 }
}

/**
 * VUS-PR and VUS-ROC (Paparrizos, Boniol, Palpanas, Tsay, Elmore and Franklin, 2022) in the variant of the TSB-AD
 * benchmark.
 *
 * For every buffer length w = 0 … maxBuffer each labelled run is extended over ⌊w/2⌋ observations to both sides with
 * weights sqrt(1 − distance / w), capped at 1 where buffers meet. For each of 250 thresholds (the scores at equally
 * spaced ranks; flagged ⇔ score ≥ threshold), with N observations flagged, c the extended labels among them, m the
 * buffer weights among those, and P labelled observations: TPR = min(c / (P + m/2), 1) · share of extended runs that
 * hold a flagged observation, precision = c / N, FPR = (N − c) / (length − P − m/2). The area for w is Σ ΔTPR ·
 * precision from TPR 0 (PR) or by trapezoids up to (1, 1) (ROC); the volume is the mean of the areas. An unscored
 * observation (NaN) ranks below every score.
 *
 * Edge cases: no labelled observation, or empty input → both 0; all labelled → both 1. With all scores equal PR is the
 * mean share of extended labels. Cost: O(length · log length + maxBuffer · observations in extended runs).
 * @param labels truth, shape [length]
 * @param scores higher = more anomalous, shape [length]
 * @param maxBuffer longest buffer in observations, a whole number from 0; see `autocorrelationPeriod`
 * @throws Problem `channel-length-mismatch` if the lengths differ, `invalid-settings` if maxBuffer is not a whole
 * number from 0
 * @example
 * volumesUnderSurface([0, 0, 1, 0], [0, 0.5, 1, 0], 2).pr // 1
 */
export function volumesUnderSurface (labels: Flags, scores: ArrayLike<number>, maxBuffer: number): Volumes {
  assertPaired(labels, scores)
  if (!Number.isInteger(maxBuffer) || maxBuffer < 0) {
    throw new Problem('invalid-settings', `maxBuffer is ${maxBuffer}: give a whole number of observations from 0`)
  }
  if (countOf(labels) === 0) return { pr: 0, roc: 0 }
  const scene = sceneOf(labels, scores)
  const mass = new Float64Array(labels.length)
  const sum = { pr: 0, roc: 0 }
  for (let buffer = 0; buffer <= maxBuffer; buffer++) {
    const { pr, roc } = areas(scene, bufferedOf(scene, buffer, mass))
    sum.pr += pr
    sum.roc += roc
  }
  return { pr: sum.pr / (maxBuffer + 1), roc: sum.roc / (maxBuffer + 1) }
}

/**
 * VUS-PR alone; see `volumesUnderSurface`.
 * @returns a number in [0, 1]
 * @example
 * vusPr([0, 0, 1, 0], [0, 0.5, 1, 0], 2) // 1
 */
export function vusPr (labels: Flags, scores: ArrayLike<number>, maxBuffer: number): number {
  return volumesUnderSurface(labels, scores, maxBuffer).pr
}

/**
 * VUS-ROC alone; see `volumesUnderSurface`.
 * @returns a number in [0, 1]
 * @example
 * vusRoc([0, 0, 1, 0], [0, 0.5, 1, 0], 0) // 1
 */
export function vusRoc (labels: Flags, scores: ArrayLike<number>, maxBuffer: number): number {
  return volumesUnderSurface(labels, scores, maxBuffer).roc
}
