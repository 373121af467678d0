// The score of the Numenta Anomaly Benchmark: early detections inside windows pay, flags outside cost. Knows no files.
import { Problem } from '../errors.ts'
import { ratio } from './confusion.ts'
import type { Run } from './runs.ts'

/** What a false positive and a missed window cost, against 1 for a window found at its start. */
const COSTS = {
  standard: { falsePositive: 0.11, missed: 1 },
  'reward-low-fp': { falsePositive: 0.22, missed: 1 },
  'reward-low-fn': { falsePositive: 0.11, missed: 2 },
}

/** The profiles of the benchmark: the standard one, one that punishes false alarms and one that punishes misses. */
export type NabProfile = keyof typeof COSTS

/** The start of a series does not count: this share of it, but not more observations than the second number. */
const EXCLUDED_SHARE = 0.15
const EXCLUDED_MOST = 750

/** One series of the corpus. */
export interface NabSeries {
  /** Scores, higher = more anomalous, shape [length]; NaN = unscored, never flagged. */
  readonly scores: ArrayLike<number>
  /** Anomaly windows: first and last index, both inclusive, ascending, without overlaps. */
  readonly windows: ReadonlyArray<readonly [first: number, last: number]>
}

/** Score of a corpus at one threshold. */
interface NabScore {
  /**
   * 100 · (raw + m · windows) / ((1 + m) · windows), m the cost of a missed window: 0 for flagging nothing, 100 for the
   * start of every window and nothing else.
   */
  readonly score: number
  /** Σ over windows of the best detection's reward, or minus its cost if missed, minus the costs of flags outside. */
  readonly raw: number
  /** Flagged ⇔ score > threshold; −∞ flags every scored observation. */
  readonly threshold: number
}

/** The value of flagging one observation, and the number of the window that the flag finds (−1 = none). */
interface Candidate {
  readonly score: number
  readonly value: number
  readonly window: number
}

/** All observations that may be flagged, and the number of windows that can be found. */
interface Corpus {
  readonly candidates: readonly Candidate[]
  readonly windows: number
  /** Cost of a missed window. */
  readonly missed: number
}

/** Position → reward: 1 far before 0, 0 at it, −1 far behind it. */
function sigmoid (x: number): number {
  return x > 3 ? -1 : 2 / (1 + Math.exp(5 * x)) - 1
}

/** Value of flagging observation t inside a window: 1 at its first observation, falling towards its last. */
function reward (t: number, { first, last }: Run): number {
  return sigmoid(-(last - t + 1) / (last - first + 1)) / sigmoid(-1)
}

/**
 * Value of flagging observation t outside, for a full cost of 1: nearly 0 shortly after a window, −1 far from it or
 * before any.
 */
function penalty (t: number, before: Run | undefined): number {
  return before === undefined ? -1 : sigmoid((t - before.last) / (before.last - before.first))
}

/** How the observations of one series count: from `excluded` on, its windows numbered from `offset`. */
interface Counting {
  readonly excluded: number
  readonly offset: number
  readonly falsePositive: number
}

/** The scored observations of one series that count. */
function * candidatesOf (
  scores: ArrayLike<number>,
  windows: readonly Run[],
  { excluded, offset, falsePositive }: Counting
): Generator<Candidate> {
  let next = 0
  for (let t = 0; t < scores.length; t++) {
    while (next < windows.length && windows[next]!.last < t) next++
    const score = scores[t]!
    if (t < excluded || Number.isNaN(score)) continue
    const inside = next < windows.length && windows[next]!.first <= t
    yield inside
      ? { score, value: reward(t, windows[next]!), window: offset + next }
      : { score, value: falsePositive * penalty(t, windows[next - 1]), window: -1 }
  }
}

function corpusOf (series: Iterable<NabSeries>, profile: NabProfile): Corpus {
  const { falsePositive, missed } = COSTS[profile]
  const candidates: Candidate[] = []
  let numbered = 0
  let windows = 0
  for (const { scores, windows: spans } of series) {
    const { length } = scores
    const runs = spans.map(([first, last]) => ({ first, last }))
    runs.forEach((run, i) => assertWindow(run, runs[i - 1], length))
    const excluded = Math.min(Math.floor(EXCLUDED_SHARE * length), EXCLUDED_MOST)
    const counting = { excluded, offset: numbered, falsePositive }
    for (const candidate of candidatesOf(scores, runs, counting)) candidates.push(candidate)
    numbered += runs.length
    windows += runs.filter((run) => run.last >= excluded).length
  }
  return { candidates, windows, missed }
}

function assertWindow ({ first, last }: Run, before: Run | undefined, length: number): void {
  const inside = Number.isInteger(first) && Number.isInteger(last) && last < length
  if (inside && first > (before?.last ?? -1) && last >= first) return
  throw new Problem(
    'invalid-settings',
    `The window ${first} … ${last} does not fit: give whole numbers below ${length}, first before last, ` +
      'windows ascending and apart'
  )
}

function scoreAt ({ candidates, windows, missed }: Corpus, threshold: number): NabScore {
  const best = new Map<number, number>()
  let costs = 0
  for (const { score, value, window } of candidates) {
    if (score <= threshold) continue
    if (window < 0) costs += value
    else best.set(window, Math.max(best.get(window) ?? -missed, value))
  }
  let raw = costs - missed * (windows - best.size)
  for (const value of best.values()) raw += value
  return { score: 100 * ratio(raw + missed * windows, (1 + missed) * windows), raw, threshold }
}

/** The threshold with the highest score, in one pass from the highest score to the lowest. */
function bestThreshold ({ candidates, windows, missed }: Corpus): number {
  const descending = [...candidates].sort((a, b) => a.score === b.score ? 0 : b.score - a.score)
  const best = new Map<number, number>()
  let raw = -missed * windows
  let top = { raw, threshold: descending[0]?.score ?? -Infinity }
  descending.forEach(({ score, value, window }, i) => {
    const had = best.get(window) ?? -missed
    if (window < 0) raw += value
    else if (value > had) {
      raw += value - had
      best.set(window, value)
    }
    const lower = descending[i + 1]?.score ?? -Infinity
    if (lower < score && raw > top.raw) top = { raw, threshold: lower }
  })
  return top.threshold
}

/**
 * The score of the Numenta Anomaly Benchmark (Lavin and Ahmad, 2015) at one threshold for the whole corpus.
 *
 * With σ(x) = 2 / (1 + e^(5x)) − 1, and −1 for x > 3: in a window of w observations that ends at b, observation i is
 * worth σ(−(b − i + 1) / w) / σ(−1), and the best flagged one counts; a window without any costs 1, or 2 by the profile
 * reward-low-fn. Outside, a flag is worth c · σ((i − b) / (w − 1)) by the window before it (−c behind a window of one
 * observation), or −c before the first window; c is 0.11, or 0.22 by the profile reward-low-fp. The first
 * min(⌊0.15 · length⌋, 750) observations of a series do not count, nor do windows that lie wholly in them. An unscored
 * observation (NaN) is never flagged. Edge cases: no window → score 0, while `raw` still holds the costs; many flags
 * outside can make the score negative.
 * @param series scores and windows of every series of the corpus
 * @param threshold flagged ⇔ score > threshold
 * @param profile what false positives and missed windows cost; default: the standard profile
 * @throws Problem `invalid-settings` if windows do not ascend, overlap, or leave the series
 * @example
 * nabScoreAt([{ scores: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0], windows: [[8, 9]] }], 0.5)
 * // { score: 100, raw: 1, threshold: 0.5 }
 */
export function nabScoreAt (
  series: Iterable<NabSeries>,
  threshold: number,
  profile: NabProfile = 'standard'
): NabScore {
  return scoreAt(corpusOf(series, profile), threshold)
}

/**
 * The score of the Numenta Anomaly Benchmark at the best threshold for the whole corpus; see `nabScoreAt` for the
 * formula. It tries every distinct score and flagging nothing, so the result is at least 0. Of equally good thresholds
 * it takes the highest. Edge cases: no window, no scored observation, or nothing at all → score 0.
 * @param series scores and windows of every series of the corpus
 * @param profile what false positives and missed windows cost; default: the standard profile
 * @returns the best score, in [0, 100], with a threshold that reaches it: the next lower score of the corpus, −∞ if
 * there is none
 * @throws Problem `invalid-settings` if windows do not ascend, overlap, or leave the series
 * @example
 * nabScore([{ scores: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0], windows: [[8, 9]] }]) // { score: 100, raw: 1, threshold: 0 }
 */
export function nabScore (series: Iterable<NabSeries>, profile: NabProfile = 'standard'): NabScore {
  const corpus = corpusOf(series, profile)
  return scoreAt(corpus, bestThreshold(corpus))
}
