// The score of the Numenta Anomaly Benchmark: early detections inside windows pay, flags outside cost. Knows no files.
import { Problem } from '../errors.ts'
import { ratio } from './confusion.ts'
import type { Run } from './runs.ts'

/** Standard profile: cost of a false positive against 1 for a window found or missed. */
const FALSE_POSITIVE_COST = 0.11
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
   * 100 · (raw + windows) / (2 · windows): 0 for flagging nothing, 100 for the start of every window and nothing else.
   */
  readonly score: number
  /** Σ over windows of the best detection's reward, or −1 if missed, minus the costs of flags outside. */
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
 * Value of flagging observation t outside: nearly 0 shortly after a window, the full cost far from it or before any.
 */
function cost (t: number, before: Run | undefined): number {
  if (before === undefined) return -FALSE_POSITIVE_COST
  return FALSE_POSITIVE_COST * sigmoid((t - before.last) / (before.last - before.first))
}

/** The scored observations of one series that count; its windows are numbered from `offset`. */
function * candidatesOf (
  scores: ArrayLike<number>,
  windows: readonly Run[],
  excluded: number,
  offset: number
): Generator<Candidate> {
  let next = 0
  for (let t = 0; t < scores.length; t++) {
    while (next < windows.length && windows[next]!.last < t) next++
    const score = scores[t]!
    if (t < excluded || Number.isNaN(score)) continue
    const inside = next < windows.length && windows[next]!.first <= t
    yield inside
      ? { score, value: reward(t, windows[next]!), window: offset + next }
      : { score, value: cost(t, windows[next - 1]), window: -1 }
  }
}

function corpusOf (series: Iterable<NabSeries>): Corpus {
  const candidates: Candidate[] = []
  let numbered = 0
  let windows = 0
  for (const { scores, windows: spans } of series) {
    const { length } = scores
    const runs = spans.map(([first, last]) => ({ first, last }))
    runs.forEach((run, i) => assertWindow(run, runs[i - 1], length))
    const excluded = Math.min(Math.floor(EXCLUDED_SHARE * length), EXCLUDED_MOST)
    for (const candidate of candidatesOf(scores, runs, excluded, numbered)) candidates.push(candidate)
    numbered += runs.length
    windows += runs.filter((run) => run.last >= excluded).length
  }
  return { candidates, windows }
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

function scoreAt ({ candidates, windows }: Corpus, threshold: number): NabScore {
  const best = new Map<number, number>()
  let costs = 0
  for (const { score, value, window } of candidates) {
    if (score <= threshold) continue
    if (window < 0) costs += value
    else best.set(window, Math.max(best.get(window) ?? -1, value))
  }
  let raw = costs - (windows - best.size)
  for (const value of best.values()) raw += value
  return { score: 100 * ratio(raw + windows, 2 * windows), raw, threshold }
}

/** The threshold with the highest score, in one pass from the highest score to the lowest. */
function bestThreshold ({ candidates, windows }: Corpus): number {
  const descending = [...candidates].sort((a, b) => a.score === b.score ? 0 : b.score - a.score)
  const best = new Map<number, number>()
  let raw = -windows
  let top = { raw, threshold: descending[0]?.score ?? -Infinity }
  descending.forEach(({ score, value, window }, i) => {
    const had = best.get(window) ?? -1
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
 * The score of the Numenta Anomaly Benchmark (Lavin and Ahmad, 2015), standard profile, at one threshold for the whole
 * corpus.
 *
 * With σ(x) = 2 / (1 + e^(5x)) − 1, and −1 for x > 3: in a window of w observations that ends at b, observation i is
 * worth σ(−(b − i + 1) / w) / σ(−1), and the best flagged one counts; a window without any costs 1. Outside, a flag is
 * worth 0.11 · σ((i − b) / (w − 1)) by the window before it (−0.11 behind a window of one observation), or −0.11 before
 * the first window. The first min(⌊0.15 · length⌋, 750) observations of a series do not count, nor do windows that lie
 * wholly in them. An unscored observation (NaN) is never flagged. Edge cases: no window → score 0, while `raw` still
 * holds the costs; many flags outside can make the score negative.
 * @param series scores and windows of every series of the corpus
 * @param threshold flagged ⇔ score > threshold
 * @throws Problem `invalid-settings` if windows do not ascend, overlap, or leave the series
 * @example
 * nabScoreAt([{ scores: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0], windows: [[8, 9]] }], 0.5)
 * // { score: 100, raw: 1, threshold: 0.5 }
 */
export function nabScoreAt (series: Iterable<NabSeries>, threshold: number): NabScore {
  return scoreAt(corpusOf(series), threshold)
}

/**
 * The score of the Numenta Anomaly Benchmark at the best threshold for the whole corpus; see `nabScoreAt` for the
 * formula. It tries every distinct score and flagging nothing, so the result is at least 0. Of equally good thresholds
 * it takes the highest. Edge cases: no window, no scored observation, or nothing at all → score 0.
 * @param series scores and windows of every series of the corpus
 * @returns the best score, in [0, 100], with a threshold that reaches it: the next lower score of the corpus, −∞ if
 * there is none
 * @throws Problem `invalid-settings` if windows do not ascend, overlap, or leave the series
 * @example
 * nabScore([{ scores: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0], windows: [[8, 9]] }]) // { score: 100, raw: 1, threshold: 0 }
 */
export function nabScore (series: Iterable<NabSeries>): NabScore {
  const corpus = corpusOf(series)
  return scoreAt(corpus, bestThreshold(corpus))
}
