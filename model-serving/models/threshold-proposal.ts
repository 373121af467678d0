// Compares the calibrated threshold with another one: the served scores and their feedback → a proposal. Pure.
import { isAnomalous } from '../../core/scoring/threshold.ts'
import type { Feedback } from '../../adapters/registry/records.ts'
import type { ScoreRun } from './score-history.ts'

/** The label of an interval, and its highest score. */
interface Judged {
  readonly label: Feedback['label']
  readonly peak: number
}

interface Outcome {
  readonly threshold: number
  readonly anomalies: number
  readonly anomaliesPerWeek: number | null
  readonly falseAlarms: number
  readonly confirmed: number
  readonly missed: number
}

interface ThresholdProposal {
  readonly scores: number
  readonly feedback: { readonly used: number, readonly unused: number }
  readonly before: Outcome
  readonly after: Outcome
  readonly reason: string
}

const WEEK_MS = 604_800_000
const CALIBRATED = 1

/**
 * Compares threshold 1 with the given one. Default: the threshold that loses the fewest confirmed anomalies, then
 * leaves the fewest false alarms and missed faults, then is nearest to 1.
 * @param runs scores of one version and scoring, in order of time
 */
export function proposeThreshold (
  runs: readonly ScoreRun[],
  feedback: readonly Feedback[],
  wanted?: number
): ThresholdProposal {
  const judged = feedback.flatMap(({ start, end, label }): Judged[] => {
    const peak = peakOf(runs, Date.parse(start), Date.parse(end))
    return peak === undefined ? [] : [{ label, peak }]
  })
  const threshold = wanted ?? bestThreshold(judged)
  const before = outcomeOf(runs, judged, CALIBRATED)
  const after = outcomeOf(runs, judged, threshold)
  return {
    scores: runs.reduce((sum, { scores }) => sum + scores.filter((score) => score !== null).length, 0),
    feedback: { used: judged.length, unused: feedback.length - judged.length },
    before,
    after,
    reason: reasonOf(judged, before, after, wanted !== undefined),
  }
}

function reasonOf (judged: readonly Judged[], before: Outcome, after: Outcome, isWanted: boolean): string {
  if (judged.length === 0) {
    return 'There is no feedback on intervals whose scores are stored: nothing favours another threshold.'
  }
  if (isWanted) return `The request set the threshold ${after.threshold}.`
  if (after.threshold === CALIBRATED) return 'No other threshold agrees better with the feedback.'
  const removed = `${before.falseAlarms - after.falseAlarms} of ${before.falseAlarms}`
  const found = `${before.missed - after.missed} of ${before.missed}`
  const lost = `${before.confirmed - after.confirmed} of ${before.confirmed}`
  return `It removes ${removed} false alarms, finds ${found} missed faults, and loses ${lost} confirmed anomalies.`
}

/** Tries one threshold between each two neighbouring peaks: the outcome does not change in between. */
function bestThreshold (judged: readonly Judged[]): number {
  const peaks = [...new Set([CALIBRATED, ...judged.map(({ peak }) => peak)])].sort((a, b) => a - b)
  const candidates = [
    CALIBRATED,
    ...peaks.slice(1).map((peak, i) => (peak + peaks[i]!) / 2),
    (peaks.at(-1) ?? CALIBRATED) * 1.05,
    (peaks[0] ?? CALIBRATED) * 0.95,
  ]
    .map((candidate) => candidate === CALIBRATED ? candidate : Number(candidate.toPrecision(3)))
    .filter((candidate) => candidate > 0)
  const costs = candidates.map((threshold): readonly [number, number, number] => {
    const flagged = (label: Feedback['label'], is: boolean): number =>
      judged.filter((one) => one.label === label && isAnomalous(one.peak, threshold) === is).length
    return [
      flagged('confirmed', false),
      flagged('false-alarm', true) + flagged('missed', false),
      Math.abs(Math.log(threshold)),
    ]
  })
  let best = 0
  for (let i = 1; i < candidates.length; i++) if (isLess(costs[i]!, costs[best]!)) best = i
  return candidates[best]!
}

function isLess (a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i])
  return at >= 0 && a[at]! < b[at]!
}

function outcomeOf (runs: readonly ScoreRun[], judged: readonly Judged[], threshold: number): Outcome {
  const anomalies = countAnomalies(runs, threshold)
  const span = runs.reduce((sum, { scores, interval }) => sum + scores.length * interval, 0)
  const count = (label: Feedback['label'], is: boolean): number =>
    judged.filter((one) => one.label === label && isAnomalous(one.peak, threshold) === is).length
  return {
    threshold,
    anomalies,
    anomaliesPerWeek: span === 0 ? null : Number((anomalies * WEEK_MS / span).toPrecision(4)),
    falseAlarms: count('false-alarm', true),
    confirmed: count('confirmed', true),
    missed: count('missed', false),
  }
}

function countAnomalies (runs: readonly ScoreRun[], threshold: number): number {
  let anomalies = 0
  for (const { scores } of runs) {
    let inside = false
    for (const score of scores) {
      const isAbove = score !== null && isAnomalous(score, threshold)
      if (isAbove && !inside) anomalies++
      inside = isAbove
    }
  }
  return anomalies
}

/** Undefined if no score of the interval is stored. */
function peakOf (runs: readonly ScoreRun[], start: number, end: number): number | undefined {
  let peak: number | undefined
  for (const run of runs) {
    const from = Math.max(0, Math.ceil((start - run.start) / run.interval))
    const to = Math.min(run.scores.length - 1, Math.floor((end - run.start) / run.interval))
    for (let t = from; t <= to; t++) {
      const score = run.scores[t]
      if (score !== null && score !== undefined && (peak === undefined || score > peak)) peak = score
    }
  }
  return peak
}
