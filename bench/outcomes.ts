// Rates scores on the public benchmarks, for each file and over the files of a set. Knows no detector.
import { isAnomalous } from '../core/scoring/threshold.ts'
import { type Scoring } from '../core/scoring/detection.ts'
import {
  addConfusions,
  autocorrelationPeriod,
  confusion,
  type Confusion,
  pointScores,
  vusPr,
} from '../core/metrics/index.ts'
import { ratio } from '../core/metrics/confusion.ts'
import { runsOf } from '../core/metrics/runs.ts'
import { channelValues } from '../core/series/series.ts'
import { bootstrap, type Interval } from './bootstrap.ts'
import { type BenchmarkFile } from './datasets.ts'
import { type Scores } from './scoring.ts'

/** The outcome of one scoring of one file. */
interface Outcome {
  /** Confusion of the rows after the training prefix. */
  readonly confusion: Confusion
  /** Labelled segments after the training prefix; `found` counts those with a flagged row. */
  readonly segments: { readonly found: number, readonly all: number }
  /** Only on TSB-AD. */
  readonly vusPr: number
}

export type FileOutcome = Readonly<Record<Scoring, Outcome>>

/** SKAB's protocol is F1 over all files, pooled, at one threshold; TSB-AD's is the mean of the files' VUS-PR. */
export type Protocol = 'skab' | 'tsb-ad'

export function outcomeOf (protocol: Protocol, file: BenchmarkFile, scores: Scores): FileOutcome {
  const outcome = (score: Float64Array): Outcome => {
    const labels = file.labels.subarray(file.train)
    const flags = Uint8Array.from(score.subarray(file.train), (value) => isAnomalous(value) ? 1 : 0)
    const segments = runsOf(labels)
    const found = segments.filter(({ first, last }) => flags.subarray(first, last + 1).includes(1)).length
    return {
      confusion: confusion(labels, flags),
      segments: { found, all: segments.length },
      vusPr: protocol === 'skab' ? NaN : tsbVusPr(file, score),
    }
  }
  return { batch: outcome(scores.batch), causal: outcome(scores.causal) }
}

/** VUS-PR over the whole file; rows before the first score count as that score. */
function tsbVusPr ({ series, labels }: BenchmarkFile, scores: Float64Array): number {
  const first = scores.find((value) => !Number.isNaN(value)) ?? 0
  return vusPr(
    labels,
    scores.map((value) => Number.isNaN(value) ? first : value),
    autocorrelationPeriod(channelValues(series, 0))
  )
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The figure that a protocol ranks by. */
function figureOf (protocol: Protocol, outcomes: readonly Outcome[]): number {
  if (protocol === 'skab') return pointScores(addConfusions(outcomes.map(({ confusion }) => confusion))).f1
  return mean(outcomes.map((outcome) => outcome.vusPr))
}

function figuresOf (protocol: Protocol, outcomes: readonly Outcome[]): Record<string, unknown> {
  if (protocol === 'skab') {
    const { f1, far, mar } = pointScores(addConfusions(outcomes.map(({ confusion }) => confusion)))
    return { f1, far, mar }
  }
  return {
    vusPr: figureOf(protocol, outcomes),
    // A file whose rows after the prefix are all labelled has no false-alarm rate.
    far: mean(
      outcomes.filter(({ confusion: { fp, tn } }) => fp + tn > 0).map(({ confusion: { fp, tn } }) =>
        100 * ratio(fp, fp + tn)
      )
    ),
    segments: {
      found: outcomes.reduce((sum, { segments }) => sum + segments.found, 0),
      all: outcomes.reduce((sum, { segments }) => sum + segments.all, 0),
    },
  }
}

/** How to summarise one set. */
interface SummaryOptions {
  readonly protocol: Protocol
  /** Whether to add 95 % bootstrap intervals over the files. */
  readonly intervals: boolean
  /** Outcomes of another architecture on the same files: adds the paired difference and its interval. */
  readonly against: readonly FileOutcome[] | undefined
}

export function summarise (
  files: readonly FileOutcome[],
  { protocol, intervals, against }: SummaryOptions
): Record<string, unknown> {
  const summary = (scoring: Scoring): Record<string, unknown> => {
    const outcomes = files.map((file) => file[scoring])
    const others = against?.map((file) => file[scoring])
    const interval = (figure: (drawn: readonly number[]) => number): Interval =>
      bootstrap(files.length, figure, scoring)
    const figure = (all: readonly Outcome[], drawn: readonly number[]): number =>
      figureOf(protocol, drawn.map((i) => all[i]!))
    return {
      ...figuresOf(protocol, outcomes),
      ...(intervals && { interval: interval((drawn) => figure(outcomes, drawn)) }),
      ...(others && {
        difference: {
          value: figureOf(protocol, outcomes) - figureOf(protocol, others),
          interval: interval((drawn) => figure(outcomes, drawn) - figure(others, drawn)),
        },
      }),
    }
  }
  return { files: files.length, batch: summary('batch'), causal: summary('causal') }
}
